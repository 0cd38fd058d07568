//! The scheduler of key rotation. Each second, the replica with the lease takes the next step of every tenant
//! that is due, each in its own commit. If a leader is killed, another replica takes over when the lease
//! expires. Two concurrent leaders, because of clocks that differ, do no harm: a commit requires the revision
//! on which it was planned, and all times are in the rows.

mod key_advancer;
mod retries;
mod rotated;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use administration::administrator::ReadClock;
use administration::edit::EditError;
use administration::store::AdministrationStore;
use keys::KeySpec;
use tenancy::{StoreError, Stored, TenantId};
use tokio::time::{Instant, sleep, timeout};
use values::{Lifetime, Timestamp};

use values::causes;

use crate::periodic::{OutageLog, rounds};
use key_advancer::KeyAdvancer;
use retries::Retries;
pub(crate) use rotated::Rotated;

const EVERY: Duration = Duration::from_secs(1);
/// The number of tenants in one read.
const AT_ONCE: u32 = 50;
const LEASE: &str = "rotation";
const LEASE_LASTS: Lifetime = Lifetime::from_seconds(15);
const RENEW_AFTER: Duration = Duration::from_secs(5);
/// Generating a 2048-bit RSA key takes 60 ms of a core, so eight per second use half a core.
const RSA_EVERY: Duration = Duration::from_millis(125);
/// After a failed step the scheduler pauses as long as the step took, but at most this long: the step may
/// have generated a key in vain.
const LONGEST_REST: Duration = Duration::from_secs(5);
/// The longest wait for a running step at the end of the program.
const AT_THE_END: Duration = Duration::from_secs(3);

pub(crate) struct KeyScheduler {
    store: Arc<dyn AdministrationStore>,
    key_advancer: Arc<dyn KeyAdvancer>,
    clock: ReadClock,
    /// The name of this replica for the lease.
    holder: String,
    rotated: Arc<Rotated>,
    is_ended: AtomicBool,
    turn: tokio::sync::Mutex<Turn>,
}

#[derive(Default)]
struct Turn {
    /// When this replica last got or renewed the lease. `None` if it does not lead.
    leads_since: Option<Instant>,
    retries: Retries,
    log: OutageLog,
}

impl KeyScheduler {
    pub(crate) fn new(
        store: Arc<dyn AdministrationStore>,
        key_advancer: Arc<dyn KeyAdvancer>,
        clock: ReadClock,
        rotated: Arc<Rotated>,
    ) -> Self {
        let (holder, is_ended) = (uuid::Uuid::new_v4().to_string(), AtomicBool::new(false));
        Self { store, key_advancer, clock, holder, rotated, is_ended, turn: Default::default() }
    }

    /// Runs a round once a second, until the program ends.
    pub(crate) async fn run(self: Arc<Self>) {
        let mut rounds = rounds(EVERY);
        while !self.is_ended.load(Ordering::Relaxed) {
            rounds.tick().await;
            self.round().await;
        }
    }

    /// Stops after the current step and releases the lease, so that another replica need not wait until it
    /// expires.
    pub(crate) async fn finish(&self) {
        self.is_ended.store(true, Ordering::Relaxed);
        let given_back = async {
            let mut turn = self.turn.lock().await;
            if turn.leads_since.take().is_some() {
                let (now, past) = ((self.clock)(), Timestamp::from_seconds(0));
                self.store.try_lease(LEASE, &self.holder, now, past).await.map(drop)
            } else {
                Ok(())
            }
        };
        if !matches!(timeout(AT_THE_END, given_back).await, Ok(Ok(()))) {
            tracing::warn!("cannot release the rotation lease; another replica takes over when it expires");
        }
    }

    async fn round(&self) {
        let mut turn = self.turn.lock().await;
        let done = self.work(&mut turn).await;
        if done.is_err() {
            // The lease may expire in the meantime.
            turn.leads_since = None;
        }
        self.rotated.leads.store(turn.leads_since.is_some(), Ordering::Relaxed);
        turn.log.note(&done, "cannot rotate keys; trying again every second", "keys can be rotated again");
    }

    /// Takes steps until no tenant is due, except those that wait after a failure.
    async fn work(&self, turn: &mut Turn) -> Stored<()> {
        while self.goes_on(turn).await? {
            // Waiting tenants come first among the due ones. The limit is increased by their number, or they
            // would hide the others.
            let waiting = turn.retries.waiting(Instant::now());
            let due = self.store.find_due_keys((self.clock)(), AT_ONCE.saturating_add(waiting)).await?;
            self.rotated.due.store(due.len(), Ordering::Relaxed);
            let mut ready: Vec<_> =
                due.into_iter().filter(|tenant| turn.retries.may_try(tenant, Instant::now())).collect();
            ready.truncate(AT_ONCE as usize);
            if ready.is_empty() {
                return Ok(());
            }
            for tenant in ready {
                if !self.goes_on(turn).await? {
                    return Ok(());
                }
                self.advance(turn, &tenant).await?;
            }
        }
        Ok(())
    }

    /// Whether to take another step: this replica leads, and the program is not stopping.
    async fn goes_on(&self, turn: &mut Turn) -> Stored<bool> {
        if self.is_ended.load(Ordering::Relaxed) {
            return Ok(false);
        }
        if turn.leads_since.is_some_and(|since| since.elapsed() < RENEW_AFTER) {
            return Ok(true);
        }
        let now = (self.clock)();
        let leads = self.store.try_lease(LEASE, &self.holder, now, now + LEASE_LASTS).await?;
        match (turn.leads_since, leads) {
            (None, true) => tracing::info!("this replica rotates keys"),
            (Some(_), false) => tracing::info!("another replica rotates keys"),
            (None, false) | (Some(_), true) => {}
        }
        if !leads {
            self.rotated.due.store(0, Ordering::Relaxed);
        }
        turn.leads_since = leads.then(Instant::now);
        Ok(leads)
    }

    /// Takes the step of one tenant. Fails if the store is unavailable, because the next tenant's step would
    /// fail, too.
    async fn advance(&self, turn: &mut Turn, tenant: &TenantId) -> Stored<()> {
        let (began, now) = (Instant::now(), (self.clock)());
        let done = self.key_advancer.advance_keys(tenant, now).await;
        let took = began.elapsed();
        let rest = match &done {
            Ok(Some(made)) if made.rsa().is_some() => RSA_EVERY.saturating_sub(took).max(took),
            Ok(_) => Duration::ZERO,
            Err(_) => took.min(LONGEST_REST),
        };
        let outcome = self.record_outcome(turn, tenant, done);
        sleep(rest).await;
        outcome
    }

    /// Records the outcome of a step: the next attempt, the counts, and the log.
    fn record_outcome(
        &self,
        turn: &mut Turn,
        tenant: &TenantId,
        done: Result<Option<KeySpec>, EditError>,
    ) -> Stored<()> {
        match done {
            Ok(announced) => {
                if turn.retries.forget(tenant) {
                    tracing::info!(%tenant, "keys of tenant {tenant} can be rotated again");
                }
                // Not before the next round, even if another step is due.
                turn.retries.again(tenant, Instant::now());
                if announced.is_some() {
                    self.rotated.announced.fetch_add(1, Ordering::Relaxed);
                }
            }
            Err(EditError::Store(error @ StoreError::Unavailable(_))) => return Err(error),
            Err(EditError::Contended | EditError::Stale) => turn.retries.again(tenant, Instant::now()),
            Err(error) => {
                self.rotated.failures.fetch_add(1, Ordering::Relaxed);
                if turn.retries.failed(tenant, Instant::now()) {
                    tracing::error!(
                        %tenant,
                        error = causes(&error),
                        "cannot rotate keys of tenant {tenant}; trying again with growing pauses"
                    );
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
