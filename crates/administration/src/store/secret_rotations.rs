//! The clients whose secrets the platform rotates on schedule, and the process that does it.

use async_trait::async_trait;
use registry::ClientId;
use tenancy::{Stored, TenantId};
use values::Timestamp;

use crate::administrator::rotation_progress::RotationProgress;

/// The schedules of clients with `rotate`, across tenants on purpose: one process handles all of them.
#[async_trait]
pub trait SecretRotations: Send + Sync {
    /// At most `limit` clients whose schedule is due, has changed or was never checked. The tenants take
    /// turns.
    async fn find_due_rotations(&self, now: Timestamp, limit: u32) -> Stored<Vec<(TenantId, ClientId)>>;

    /// Takes a due rotation, so that no other process gets it before `until`. Returns whether this process
    /// has it.
    async fn take_rotation(
        &self,
        tenant: &TenantId,
        client: &ClientId,
        now: Timestamp,
        until: Timestamp,
    ) -> Stored<bool>;

    /// Records how far it is. The schedule counts as looked at.
    async fn record_rotation(
        &self,
        tenant: &TenantId,
        client: &ClientId,
        progress: &RotationProgress,
    ) -> Stored<()>;

    /// The number of clients whose last rotation failed.
    async fn count_failing_rotations(&self) -> Stored<u64>;
}
