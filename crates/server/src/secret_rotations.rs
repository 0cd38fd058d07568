//! Rotates the secrets of clients with a schedule. The replica that rotates keys does it. It takes each
//! rotation from the store first, so that no rotation is made twice.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use administration::{Administrator, ScheduledRotation};
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
/// The rotations of one round. A secret store that does not answer delays one of them by seconds.
const IN_A_ROUND: u32 = 64;
const AT_ONCE: usize = 8;

/// The scheduler of one replica.
pub(crate) struct RotationScheduler {
    pub(crate) administrator: Arc<Administrator>,
    /// Says whether this replica rotates.
    pub(crate) leader: Arc<Rotated>,
    pub(crate) rotated: Arc<RotatedSecrets>,
}

/// Counts since the start of the program.
#[derive(Debug, Default)]
pub(crate) struct RotatedSecrets {
    done: AtomicU64,
    failed: AtomicU64,
    failing: AtomicU64,
}

impl RotationScheduler {
    /// Looks for due schedules until the program ends.
    pub(crate) async fn run(self) {
        let (mut rounds, mut log) = (rounds(EVERY), OutageLog::default());
        loop {
            rounds.tick().await;
            let done = if self.leader.leads() { self.round().await } else { Ok(0) };
            log.note(
                &done,
                "scheduled rotations of secrets cannot be read; trying again",
                "scheduled rotations of secrets can be read again",
            );
            self.rotated.failing.store(done.unwrap_or(0), Ordering::Relaxed);
        }
    }

    /// The number of clients whose last rotation failed.
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
            // It is taken, and is looked at again in ten minutes.
            Err(error) => {
                self.rotated.failed.fetch_add(1, Ordering::Relaxed);
                tracing::warn!(%tenant, client_id = %client, error = causes(&error), "secret not rotated on schedule");
            }
        }
    }
}

impl RotatedSecrets {
    pub(crate) fn samples(&self) -> [Sample; 3] {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let (name, help) =
            ("latchkey_secret_rotations_total", "Rotations of client secrets on their schedule.");
        [
            Sample::counter(name, help, &[("outcome", "done")], read(&self.done)),
            Sample::counter(name, help, &[("outcome", "failed")], read(&self.failed)),
            Sample::gauge(
                "latchkey_secret_rotations_failing",
                "Clients whose last rotation on schedule failed; of the replica that rotates keys.",
                &[],
                read(&self.failing),
            ),
        ]
    }
}
