//! Tenants that the settings leave out for now, because the store contradicts what is declared of them: how many they are, and when
//! they are to be tried again.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use administration::Invalidation;
use tenancy::TenantId;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout_at};

/// How often they are tried when nothing of theirs has changed.
const EVERY: Duration = Duration::from_secs(60);
/// Who changes them without end makes nobody try without end.
const PAUSE: Duration = Duration::from_secs(2);

/// Shared by those who apply settings, by the change feed and by the probes.
pub(crate) struct LeftOut {
    tenants: Mutex<Tenants>,
    changed: watch::Sender<()>,
}

#[derive(Default)]
struct Tenants {
    count: usize,
    /// By whose changes a conflict may go away: they themselves, and those that have what they declare.
    depends_on: BTreeSet<TenantId>,
}

/// When to try again, as one task sees it.
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
    /// So many are left out from now on.
    pub(crate) fn replace(&self, count: usize, depends_on: BTreeSet<TenantId>) {
        *self.tenants() = Tenants { count, depends_on };
    }

    pub(crate) fn count(&self) -> usize {
        self.tenants().count
    }

    /// What the store says has changed.
    pub(crate) fn on_invalidation(&self, changed: &[Invalidation]) {
        let tenants = self.tenants();
        if changed.iter().any(|changed| tenants.depends_on.contains(changed.tenant())) {
            self.changed.send_replace(());
        }
    }

    pub(crate) fn tries(&self) -> Tries {
        Tries { changed: self.changed.subscribe(), last: Instant::now() }
    }

    fn tenants(&self) -> MutexGuard<'_, Tenants> {
        self.tenants.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tries {
    /// They are tried now. What changes from here on is news.
    pub(crate) fn begin(&mut self) {
        self.changed.mark_unchanged();
        self.last = Instant::now();
    }

    /// Ends when they are to be tried again: soon after a change of theirs, and a minute after the last try at the latest. Dropped and
    /// called again it misses nothing.
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

    /// After how many seconds the next try is due.
    async fn due_after(tries: &Tries) -> u64 {
        let began = Instant::now();
        tries.due().await;
        began.elapsed().as_secs()
    }

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
    }

    /// The task does other things meanwhile, and a change that comes while nobody waits is news all the same.
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
