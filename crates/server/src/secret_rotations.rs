//! Rotates the secrets of clients with a schedule. The replica that rotates keys does so. It first takes each
//! rotation in the store, so that no rotation is made twice.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use administration::administrator::{Administrator, ScheduledRotation};
use futures_util::stream::{self, StreamExt as _};
use gateway::Sample;
use registry::ClientId;
use tenancy::{Stored, TenantId};
use values::causes;

use crate::clock;
use crate::log_lines::LogLines;
use crate::periodic::{OutageLog, rounds};
use crate::rotation::Rotated;

const EVERY: Duration = Duration::from_secs(5);
/// The most rotations of one round. A secret store that does not answer delays a rotation by seconds.
const IN_A_ROUND: u32 = 64;
const AT_ONCE: usize = 8;

pub(crate) struct RotationScheduler {
    pub(crate) administrator: Arc<Administrator>,
    /// Says whether this replica rotates.
    pub(crate) leader: Arc<Rotated>,
    pub(crate) rotated: Arc<RotationResults>,
}

/// Counts since the start of the program.
#[derive(Debug, Default)]
pub(crate) struct RotationResults {
    done: AtomicU64,
    failed: AtomicU64,
    failing: AtomicU64,
}

impl RotationScheduler {
    /// Checks for due schedules until the program ends.
    pub(crate) async fn run(self) {
        let (mut rounds, mut log) = (rounds(EVERY), OutageLog::default());
        loop {
            rounds.tick().await;
            let done = if self.leader.leads() { self.round().await } else { Ok(0) };
            log.note(
                &done,
                "cannot read scheduled secret rotations; trying again",
                "scheduled secret rotations can be read again",
            );
            self.rotated.failing.store(done.unwrap_or(0), Ordering::Relaxed);
        }
    }

    /// Returns the number of clients whose last rotation failed.
    async fn round(&self) -> Stored<u64> {
        let due = self.administrator.find_due_rotations(clock::now(), IN_A_ROUND).await?;
        stream::iter(due).for_each_concurrent(AT_ONCE, |(tenant, client)| self.rotate(tenant, client)).await;
        self.administrator.count_failing_rotations().await
    }

    async fn rotate(&self, tenant: TenantId, client: ClientId) {
        match self.administrator.rotate_on_schedule(&tenant, &client, clock::now()).await {
            Ok(ScheduledRotation::NotDue) => {}
            Ok(ScheduledRotation::Done { into, version }) => {
                self.rotated.done.fetch_add(1, Ordering::Relaxed);
                tracing::info!(%tenant, client_id = %client, into, version, "secret rotated on schedule");
            }
            Ok(ScheduledRotation::Failed(why)) => {
                self.rotated.failed.fetch_add(1, Ordering::Relaxed);
                tracing::warn!(%tenant, client_id = %client, error = %LogLines(&why), "secret not rotated on schedule");
            }
            // The rotation is taken, so it is tried again after ten minutes.
            Err(error) => {
                self.rotated.failed.fetch_add(1, Ordering::Relaxed);
                tracing::warn!(%tenant, client_id = %client, error = causes(&error), "secret not rotated on schedule");
            }
        }
    }
}

impl RotationResults {
    pub(crate) fn samples(&self) -> [Sample; 3] {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let (name, help) = ("latchkey_secret_rotations_total", "Scheduled rotations of client secrets.");
        [
            Sample::counter(name, help, &[("outcome", "done")], read(&self.done)),
            Sample::counter(name, help, &[("outcome", "failed")], read(&self.failed)),
            Sample::gauge(
                "latchkey_secret_rotations_failing",
                "Clients whose last scheduled rotation failed; on the replica that rotates keys.",
                &[],
                read(&self.failing),
            ),
        ]
    }
}
