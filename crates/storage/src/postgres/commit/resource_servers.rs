//! Resource servers.

use std::sync::LazyLock;

use administration::rows::ResourceServerRow;

use super::{CommitError, CommitWriter, upsert};
use crate::tables;

/// Every row that the commit decided.
static UPSERT: LazyLock<String> = LazyLock::new(|| upsert(&tables::RESOURCE_SERVERS));

impl CommitWriter<'_> {
    pub(super) async fn resource_servers(
        &mut self,
        servers: &[ResourceServerRow<'_>],
    ) -> Result<(), CommitError> {
        self.all(UPSERT.as_str(), servers).await
    }
}
