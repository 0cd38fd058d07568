//! The rotation schedules of clients whose secrets Latchkey rotates.

use administration::administrator::rotation_progress::RotationProgress;
use administration::store::SecretRotations;
use async_trait::async_trait;
use registry::ClientId;
use tenancy::{Stored, TenantId};
use values::Timestamp;

use crate::columns::given;
use crate::database::Database;
use crate::statement::Statement;

/// Reads across tenants on purpose: one process rotates the secrets of all tenants. A schedule that changed
/// since the last check is due.
macro_rules! is_due {
    ($now:literal) => {
        concat!(
            "rotation IS NOT NULL AND deleted_at IS NULL
             AND (rotation_seen IS NULL OR rotation_seen <> rotation OR rotation_due_at <= ",
            $now,
            ")"
        )
    };
}

/// Orders by turn: the first schedule of each tenant comes before the second schedule of any tenant.
pub(crate) const DUE: &str = concat!(
    "SELECT tenant_id, client_id
       FROM (SELECT tenant_id, client_id,
                    row_number() OVER (PARTITION BY tenant_id ORDER BY COALESCE(rotation_due_at, 0), client_id) AS turn
               FROM clients WHERE ",
    is_due!("$1"),
    ") due
      ORDER BY turn, tenant_id LIMIT $2"
);

const TAKE: &str = concat!(
    "UPDATE clients SET rotation_seen = rotation, rotation_due_at = $4
      WHERE tenant_id = $1 AND client_id = $2 AND ",
    is_due!("$3")
);

const RECORD: &str = "
    UPDATE clients
       SET rotation_due_at = given.rotation_due_at, rotation_begun_at = given.rotation_begun_at,
           rotation_failures = given.rotation_failures, rotation_failed_at = given.rotation_failed_at,
           rotation_failure = given.rotation_failure
      FROM {given}
     WHERE clients.tenant_id = given.tenant_id AND clients.client_id = given.client_id";

const FAILING: &str = "
    SELECT count(*) FROM clients WHERE rotation IS NOT NULL AND deleted_at IS NULL AND rotation_failures > 0";

#[async_trait]
impl SecretRotations for Database {
    async fn find_due_rotations(&self, now: Timestamp, limit: u32) -> Stored<Vec<(TenantId, ClientId)>> {
        Ok(self.read(Statement::from_text(DUE).bind(now).bind(limit)).await?)
    }

    async fn take_rotation(
        &self,
        tenant: &TenantId,
        client: &ClientId,
        now: Timestamp,
        until: Timestamp,
    ) -> Stored<bool> {
        let take =
            Statement::from_text(TAKE).bind(tenant.as_str()).bind(client.as_str()).bind(now).bind(until);
        Ok(self.write(take).await? > 0)
    }

    async fn record_rotation(
        &self,
        tenant: &TenantId,
        client: &ClientId,
        progress: &RotationProgress,
    ) -> Stored<()> {
        let record = Statement::writing::<((TenantId, ClientId), RotationProgress)>(RECORD);
        self.write(record.bind(given(&[((tenant, client), progress)]))).await?;
        Ok(())
    }

    async fn count_failing_rotations(&self) -> Stored<u64> {
        let counted: Option<(u64,)> = self.read(Statement::from_text(FAILING)).await?.pop();
        Ok(counted.map_or(0, |(count,)| count))
    }
}
