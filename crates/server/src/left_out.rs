//! Tenants that the settings leave out for now, because the store's rows conflict with their declaration:
//! their number, and when to try again.

use std::collections::BTreeSet;
use std::time::Duration;

use administration::kinds::Invalidation;
use parking_lot::Mutex;
use tenancy::TenantId;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout_at};

/// How often the settings are tried again without changes of these tenants.
const EVERY: Duration = Duration::from_secs(60);
/// The shortest time between two attempts, even if these tenants change all the time.
const PAUSE: Duration = Duration::from_secs(2);

/// The code that applies settings, the change feed and the probes share this value.
pub(crate) struct LeftOut {
    tenants: Mutex<LeftOutTenants>,
    changed: watch::Sender<()>,
}

#[derive(Default)]
struct LeftOutTenants {
    count: usize,
    /// The tenants whose changes may resolve a conflict: those with a conflict, and those whose rows they
    /// need.
    depends_on: BTreeSet<TenantId>,
}

/// When to try again, for one task.
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
    pub(crate) fn replace(&self, count: usize, depends_on: BTreeSet<TenantId>) {
        *self.tenants.lock() = LeftOutTenants { count, depends_on };
    }

    pub(crate) fn count(&self) -> usize {
        self.tenants.lock().count
    }

    /// Handles a change notification from the store.
    pub(crate) fn on_invalidation(&self, changed: &[Invalidation]) {
        let tenants = self.tenants.lock();
        if changed.iter().any(|changed| tenants.depends_on.contains(changed.tenant())) {
            self.changed.send_replace(());
        }
    }

    /// The store was replaced by another history, so any row may have changed.
    pub(crate) fn on_new_history(&self) {
        if self.count() > 0 {
            self.changed.send_replace(());
        }
    }

    pub(crate) fn tries(&self) -> Tries {
        Tries { changed: self.changed.subscribe(), last: Instant::now() }
    }
}

impl Tries {
    /// Begins an attempt. Later changes trigger another one.
    pub(crate) fn begin(&mut self) {
        self.changed.mark_unchanged();
        self.last = Instant::now();
    }

    /// Completes when an attempt is due: soon after a change of one of the tenants, and at most a minute
    /// after the last attempt. Cancel safe: a later call misses no change.
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

    /// The seconds until the next attempt is due.
    async fn due_after(tries: &Tries) -> u64 {
        let began = Instant::now();
        tries.due().await;
        began.elapsed().as_secs()
    }

    // [found 6]
    #[tokio::test(start_paused = true)]
    async fn tenants_are_tried_each_minute_and_after_changes() {
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

    /// The task does other work in between. A change during that work must still trigger an attempt.
    #[tokio::test(start_paused = true)]
    async fn change_during_other_work_is_not_missed() {
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
