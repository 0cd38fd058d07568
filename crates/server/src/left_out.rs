//! Tenants that the settings leave out for now, because the store's rows conflict with their declaration:
//! their number, and when to retry.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use administration::Invalidation;
use tenancy::TenantId;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout_at};

/// The retry interval without any change of these tenants.
const EVERY: Duration = Duration::from_secs(60);
/// Limits the retries when these tenants change all the time.
const PAUSE: Duration = Duration::from_secs(2);

/// Shared by the code that applies settings, the change feed and the probes.
pub(crate) struct LeftOut {
    tenants: Mutex<LeftOutTenants>,
    changed: watch::Sender<()>,
}

#[derive(Default)]
struct LeftOutTenants {
    count: usize,
    /// The tenants whose changes may resolve a conflict: those left out, and those whose rows they need.
    depends_on: BTreeSet<TenantId>,
}

/// When to retry, for one task.
pub(crate) struct Tries {
    changed: watch::Receiver<()>,
    last: Instant,
}

impl Default for LeftOut {
    fn default() -> Self {
        Self { tenants: Mutex::default(), changed: watch::Sender::new(()) }
    }
}

impl LeftOut {
    /// Replaces the tenants that are left out.
    pub(crate) fn replace(&self, count: usize, depends_on: BTreeSet<TenantId>) {
        *self.tenants() = LeftOutTenants { count, depends_on };
    }

    pub(crate) fn count(&self) -> usize {
        self.tenants().count
    }

    /// Handles a change notification from the store.
    pub(crate) fn on_invalidation(&self, changed: &[Invalidation]) {
        let tenants = self.tenants();
        if changed.iter().any(|changed| tenants.depends_on.contains(changed.tenant())) {
            self.changed.send_replace(());
        }
    }

    /// Any row may have changed with the history of the store.
    pub(crate) fn on_new_history(&self) {
        if self.count() > 0 {
            self.changed.send_replace(());
        }
    }

    pub(crate) fn tries(&self) -> Tries {
        Tries { changed: self.changed.subscribe(), last: Instant::now() }
    }

    fn tenants(&self) -> MutexGuard<'_, LeftOutTenants> {
        self.tenants.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tries {
    /// Begins a retry. Later changes trigger another one.
    pub(crate) fn begin(&mut self) {
        self.changed.mark_unchanged();
        self.last = Instant::now();
    }

    /// Completes when a retry is due: soon after a change of a tenant involved, and at most a minute after
    /// the last retry. Cancel safe: a later call misses no change.
    pub(crate) async fn due(&self) {
        let mut changed = self.changed.clone();
        if timeout_at(self.last + EVERY, changed.changed()).await.is_ok() {
            sleep_until(self.last + PAUSE).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tenant(id: &str) -> TenantId {
        TenantId::parse(id).unwrap()
    }

    /// Seconds until the next retry is due.
    async fn due_after(tries: &Tries) -> u64 {
        let began = Instant::now();
        tries.due().await;
        began.elapsed().as_secs()
    }

    // [found 6]
    #[tokio::test(start_paused = true)]
    async fn tenants_are_tried_each_minute_and_soon_after_a_change_of_theirs() {
        let left_out = LeftOut::default();
        let mut tries = left_out.tries();
        left_out.replace(1, [tenant("acme"), tenant("owner")].into());
        assert_eq!((left_out.count(), due_after(&tries).await), (1, 60));
        for (changed, expected) in [("globex", 60), ("acme", 2), ("owner", 2)] {
            tries.begin();
            left_out.on_invalidation(&[
                Invalidation::Tenant(tenant("other")),
                Invalidation::Keys(tenant(changed)),
            ]);
            assert_eq!(due_after(&tries).await, expected, "{changed}");
        }
        for (left_out_now, expected) in [(1, 2), (0, 60)] {
            left_out.replace(left_out_now, BTreeSet::new());
            tries.begin();
            left_out.on_new_history();
            assert_eq!(due_after(&tries).await, expected, "a new history with {left_out_now} left out");
        }
    }

    /// The task does other work in between; a change in the meantime must still trigger a retry.
    #[tokio::test(start_paused = true)]
    async fn a_change_is_not_missed_when_waiting_is_given_up() {
        let left_out = LeftOut::default();
        let mut tries = left_out.tries();
        left_out.replace(1, [tenant("acme")].into());
        tries.begin();
        left_out.on_invalidation(&[Invalidation::Tenant(tenant("acme"))]);
        let given_up = tokio::time::timeout(Duration::from_secs(1), tries.due()).await;
        assert!(given_up.is_err());
        assert_eq!(due_after(&tries).await, 1);
        tries.begin();
        assert_eq!(due_after(&tries).await, 60);
    }
}
