//! The most recent refused requests of each tenant. A batch contains rows of many tenants, so it is written
//! across tenants.

use administration::audit::refusals::{KEPT_REFUSALS, Refusal};
use administration::store::{RefusalCursor, RefusalLog, RefusalQuery};
use async_trait::async_trait;
use tenancy::{Stored, TenantId};

use crate::column::is_text;
use crate::columns::columns;
use crate::database::Database;
use crate::statement::{Argument, Statement};
use crate::usage_log::record;

const INSERT: &str = "
    INSERT INTO refusals ({names})
    SELECT {names} FROM {given}
     WHERE EXISTS (SELECT 1 FROM tenants t WHERE t.tenant_id = given.tenant_id AND t.deleted_at IS NULL)
    ON CONFLICT DO NOTHING";

/// Prunes only the tenants with a request whose number ends in these bits, one in sixteen. Reading all rows
/// of each tenant at each insert would cost more than keeping some rows too many.
const PRUNE: &str = "
    DELETE FROM refusals
     WHERE (tenant_id, at, request_id) IN (
               SELECT tenant_id, at, request_id
                 FROM (SELECT r.tenant_id, r.at, r.request_id,
                              row_number() OVER (PARTITION BY r.tenant_id ORDER BY r.at DESC, r.request_id DESC) AS place
                         FROM (SELECT DISTINCT tenant_id FROM {given} WHERE request_id LIKE '%0') AS written
                              {join} refusals r ON r.tenant_id = written.tenant_id) AS placed
                WHERE place > $2)";

const OF_TENANT: &str = "SELECT {columns(r)} FROM refusals r WHERE r.tenant_id = {tenant}";

columns! {
    Refusal {
        tenant: "tenant_id",
        client: "client_id",
        at, request_id, route, status, error, reason, is_proven, auth_method, scope, source,
    }
}

#[async_trait]
impl RefusalLog for Database {
    async fn record_refusals(&self, refusals: &[Refusal]) -> Stored<()> {
        let kept = Argument::from(KEPT_REFUSALS as u64);
        Ok(record(self, refusals, [(INSERT, Vec::new()), (PRUNE, vec![kept])]).await?)
    }

    async fn list_refusals(&self, tenant: &TenantId, query: &RefusalQuery) -> Stored<Vec<Refusal>> {
        let RefusalQuery { client, reason, request_id, since, before, limit } = query;
        if ![reason, request_id].into_iter().flatten().all(|text| is_text(text)) {
            return Ok(Vec::new());
        }
        let text = |text: &Option<String>| text.as_deref().map(Argument::from);
        let conditions = [
            ("r.client_id = ?", client.as_ref().map(|client| client.as_str().into())),
            ("r.reason = ?", text(reason)),
            ("r.request_id = ?", text(request_id)),
            ("r.at >= ?", since.map(Argument::from)),
        ];
        let requested =
            conditions.into_iter().filter_map(|(condition, argument)| Some((condition, argument?)));
        let statement = requested
            .fold(Statement::from_text(OF_TENANT).bind(tenant), |statement, (condition, argument)| {
                statement.push(&format!(" AND {condition}"), argument)
            });
        let statement = match before {
            Some(RefusalCursor { at, request_id }) => {
                let place = vec![(*at).into(), request_id.as_str().into()];
                statement.push_row(" AND (r.at, r.request_id) < ?", place)
            }
            None => statement,
        };
        Ok(self.read(statement.push(" ORDER BY r.at DESC, r.request_id DESC LIMIT ?", *limit)).await?)
    }
}
