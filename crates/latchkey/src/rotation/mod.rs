//! Lets keys live by themselves: whoever of the replicas holds the lease takes, each second, the next step of every tenant that is due,
//! each in a commit of its own. A leader that is killed is followed when its lease ends. Two leaders at once, of clocks that differ, do
//! no harm: a commit rests on the revision that it was planned from, and all times stand in the rows.

mod key_advancer;
mod retries;
mod rotated;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use administration::{AdministrationStore, Clock, EditError};
use keys::KeySpec;
use protocol::{Lifetime, Timestamp};
use tenancy::{StoreError, TenantId};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};

use protocol::causes;

use key_advancer::KeyAdvancer;
use retries::Retries;
pub(crate) use rotated::Rotated;

const EVERY: Duration = Duration::from_secs(1);
/// Tenants that are asked for at once.
const AT_ONCE: u32 = 50;
const LEASE: &str = "rotation";
const LEASE_LASTS: Lifetime = Lifetime::from_seconds(15);
const RENEW_AFTER: Duration = Duration::from_secs(5);
/// An RSA key of 2048 bits costs a core for 60 ms, so that eight a second are half a core.
const RSA_EVERY: Duration = Duration::from_millis(125);
/// After a step that failed it rests for as long as that took, and no longer than this: the key may have been made, and thrown away.
const LONGEST_REST: Duration = Duration::from_secs(5);
/// At the end a step that is under way is waited for no longer.
const AT_THE_END: Duration = Duration::from_secs(3);

/// The scheduler of one replica.
pub(crate) struct Rotation {
    store: Arc<dyn AdministrationStore>,
    key_advancer: Arc<dyn KeyAdvancer>,
    clock: Clock,
    /// Of the lease.
    holder: String,
    rotated: Arc<Rotated>,
    is_ended: AtomicBool,
    turn: tokio::sync::Mutex<Turn>,
}

/// What a round knows of the rounds before it.
#[derive(Default)]
struct Turn {
    /// When this replica last got the lease, while it leads.
    leads_since: Option<Instant>,
    retries: Retries,
    is_failing: bool,
}

impl Rotation {
    pub(crate) fn new(
        store: Arc<dyn AdministrationStore>,
        key_advancer: Arc<dyn KeyAdvancer>,
        clock: Clock,
        rotated: Arc<Rotated>,
    ) -> Self {
        let holder = uuid::Uuid::new_v4().to_string();
        Self {
            store,
            key_advancer,
            clock,
            holder,
            rotated,
            is_ended: AtomicBool::new(false),
            turn: Default::default(),
        }
    }

    /// Looks once a second, until the program ends.
    pub(crate) async fn run(self: Arc<Self>) {
        let mut rounds = interval(EVERY);
        rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while !self.is_ended.load(Ordering::Relaxed) {
            rounds.tick().await;
            self.round().await;
        }
    }

    /// Takes no further step and gives the lease back, so that another replica need not wait for its end.
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
            tracing::warn!("the lease of rotation is not given back; another replica waits for its end");
        }
    }

    async fn round(&self) {
        let mut turn = self.turn.lock().await;
        let done = self.work(&mut turn).await;
        if done.is_err() {
            // It may run out meanwhile.
            turn.leads_since = None;
        }
        self.rotated.set_leads(turn.leads_since.is_some());
        match (done, turn.is_failing) {
            (Err(error), false) => {
                tracing::warn!(error = causes(&error), "keys cannot be rotated; trying again every second");
                turn.is_failing = true;
            }
            (Ok(()), true) => {
                tracing::info!("keys can be rotated again");
                turn.is_failing = false;
            }
            (Err(_), true) | (Ok(()), false) => {}
        }
    }

    /// Until nobody is due that may be tried now.
    async fn work(&self, turn: &mut Turn) -> Result<(), StoreError> {
        while self.goes_on(turn).await? {
            // Tenants that must wait stand first among the due ones, and shall not hide the others.
            let waiting = turn.retries.waiting(Instant::now());
            let due = self.store.find_due_keys((self.clock)(), AT_ONCE.saturating_add(waiting)).await?;
            self.rotated.set_due(due.len());
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

    /// Whether this replica is to take another step: it leads, and is not about to end.
    async fn goes_on(&self, turn: &mut Turn) -> Result<bool, StoreError> {
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
            self.rotated.set_due(0);
        }
        turn.leads_since = leads.then(Instant::now);
        Ok(leads)
    }

    /// One tenant's step. Where the store does not answer there is no sense in trying the next tenant.
    async fn advance(&self, turn: &mut Turn, tenant: &TenantId) -> Result<(), StoreError> {
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

    /// What became of a step: when the tenant is tried again, what is counted, what the log is told.
    fn record_outcome(
        &self,
        turn: &mut Turn,
        tenant: &TenantId,
        done: Result<Option<KeySpec>, EditError>,
    ) -> Result<(), StoreError> {
        match done {
            Ok(announced) => {
                if turn.retries.forget(tenant) {
                    tracing::info!(%tenant, "keys of tenant {tenant} can be rotated again");
                }
                // Not before the next round, whatever is left to be done.
                turn.retries.again(tenant, Instant::now());
                if announced.is_some() {
                    self.rotated.count_announced();
                }
            }
            Err(EditError::Store(error @ StoreError::Unavailable(_))) => return Err(error),
            Err(EditError::Contended | EditError::Stale) => turn.retries.again(tenant, Instant::now()),
            Err(error) => {
                self.rotated.count_failure();
                if turn.retries.failed(tenant, Instant::now()) {
                    tracing::error!(
                        %tenant,
                        error = causes(&error),
                        "keys of tenant {tenant} cannot be rotated; trying again with growing pauses"
                    );
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
