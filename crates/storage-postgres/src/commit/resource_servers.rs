//! Resource servers.

use administration::Change;
use administration::ChangeKind::{self, Added, Changed, Restored, Retired};
use serde::Serialize;
use tenancy::{ResourceServer, TenantId};

use super::{CommitError, Writing};

const INSERT: &str = "
    INSERT INTO resource_servers (tenant_id, audience, managed_by, created_at, updated_at, scopes,
                                  introspection_clients)
    SELECT tenant_id, audience, $3, $2, $2, scopes, clients
      FROM json_to_recordset($1::json) AS given (tenant_id text, audience text, scopes text, clients text[])";

const UPDATE: &str = "
    UPDATE resource_servers r
       SET updated_at = $2, retired_at = NULL, scopes = given.scopes, introspection_clients = given.clients
      FROM json_to_recordset($1::json) AS given (tenant_id text, audience text, scopes text, clients text[])
     WHERE r.tenant_id = given.tenant_id AND r.audience = given.audience
       AND r.managed_by = $3 AND r.deleted_at IS NULL";

const RETIRE: &str = "
    UPDATE resource_servers r SET updated_at = $2, retired_at = $2
      FROM json_to_recordset($1::json) AS given (tenant_id text, audience text)
     WHERE r.tenant_id = given.tenant_id AND r.audience = given.audience
       AND r.managed_by = $3 AND r.deleted_at IS NULL";

#[derive(Serialize)]
struct ServerRow<'a> {
    tenant_id: &'a str,
    audience: &'a str,
    scopes: String,
    clients: &'a [String],
}

impl Writing<'_> {
    pub(super) async fn resource_servers(&mut self) -> Result<(), CommitError> {
        let changes = &self.request.changes;
        let of = |wanted: &dyn Fn(ChangeKind) -> bool| -> Vec<ServerRow<'_>> {
            let rows = changes.iter().filter_map(|change| match change {
                Change::ResourceServer(tenant, row) if wanted(row.kind) => {
                    Some(server_row(tenant, &row.after))
                }
                _ => None,
            });
            rows.collect()
        };
        let added = of(&|kind| kind == Added);
        let changed = of(&|kind| matches!(kind, Changed | Restored));
        let retired = of(&|kind| kind == Retired);
        self.all(INSERT, &added).await?;
        self.all(UPDATE, &changed).await?;
        self.all(RETIRE, &retired).await
    }
}

fn server_row<'a>(tenant: &'a TenantId, server: &'a ResourceServer) -> ServerRow<'a> {
    ServerRow {
        tenant_id: tenant.as_str(),
        audience: &server.audience,
        scopes: server.scopes.to_string(),
        clients: &server.introspection_clients,
    }
}
