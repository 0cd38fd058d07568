//! Resource servers. They are read with their tenant.

use std::sync::LazyLock;

use serde_json::Value;

use crate::commit::{CommitError, CommitWriter};
use crate::upsert::Table;

static UPSERT: LazyLock<String> = LazyLock::new(|| {
    let table = Table {
        name: "resource_servers",
        key: "tenant_id text, audience text",
        constant: "managed_by text, created_at bigint",
        columns: "updated_at bigint, retired_at bigint, deleted_at bigint, scopes text, introspection_clients text[]",
        condition: "TRUE",
    };
    table.upsert()
});

impl CommitWriter<'_> {
    pub(crate) async fn resource_servers(&mut self, servers: &[Value]) -> Result<(), CommitError> {
        self.all(&UPSERT, servers).await
    }
}
