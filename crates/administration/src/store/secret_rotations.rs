//! The clients whose secrets the platform rotates on schedule, and which process does so.

use async_trait::async_trait;
use registry::ClientId;
use tenancy::{Stored, TenantId};
use values::Timestamp;

use crate::administrator::rotation_progress::RotationProgress;

/// The schedules of clients with `rotate`. The methods span tenants because one process handles all tenants.
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

    /// Records the state of the rotation. The schedule then counts as checked.
    async fn record_rotation(
        &self,
        tenant: &TenantId,
        client: &ClientId,
        progress: &RotationProgress,
    ) -> Stored<()>;

    /// The number of clients whose last rotation failed.
    async fn count_failing_rotations(&self) -> Stored<u64>;
}
