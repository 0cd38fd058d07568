//! Tenants whose step failed. Each is tried again with increasing pauses, and the failure is logged once.

use std::collections::HashMap;
use std::time::Duration;

use tenancy::TenantId;
use tokio::time::Instant;

const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(300);
/// A tenant that is not due for this long after its pause is forgotten: it was deleted, or another replica
/// has rotated its keys.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(600);

/// The waiting tenants, and how long each waits.
#[derive(Debug, Default)]
pub(super) struct Retries(HashMap<TenantId, Retry>);

#[derive(Debug)]
struct Retry {
    not_before: Instant,
    /// Zero unless a step failed.
    pause: Duration,
}

impl Retries {
    pub(super) fn waiting(&mut self, now: Instant) -> u32 {
        self.0.retain(|_, retry| {
            let since = now.saturating_duration_since(retry.not_before);
            retry.not_before > now || !retry.pause.is_zero() && since < FORGOTTEN_AFTER
        });
        let waiting = self.0.values().filter(|retry| retry.not_before > now).count();
        u32::try_from(waiting).unwrap_or(u32::MAX)
    }

    pub(super) fn may_try(&self, tenant: &TenantId, now: Instant) -> bool {
        self.0.get(tenant).is_none_or(|retry| retry.not_before <= now)
    }

    /// Records a failed step. Returns whether it is the first failure.
    pub(super) fn failed(&mut self, tenant: &TenantId, now: Instant) -> bool {
        let new = Retry { not_before: now, pause: Duration::ZERO };
        let retry = self.0.entry(tenant.clone()).or_insert(new);
        let is_first = retry.pause.is_zero();
        retry.pause = (retry.pause * 2).clamp(FIRST_PAUSE, LONGEST_PAUSE);
        retry.not_before = now + retry.pause;
        is_first
    }

    /// Delays the next step to the next round. This is not a failure.
    pub(super) fn again(&mut self, tenant: &TenantId, now: Instant) {
        let soon = now + FIRST_PAUSE;
        let new = Retry { not_before: soon, pause: Duration::ZERO };
        let retry = self.0.entry(tenant.clone()).or_insert(new);
        retry.not_before = soon;
    }

    /// Records a successful step. Returns whether the previous one had failed.
    pub(super) fn forget(&mut self, tenant: &TenantId) -> bool {
        self.0.remove(tenant).is_some_and(|retry| !retry.pause.is_zero())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> TenantId {
        TenantId::parse(text).unwrap()
    }

    #[test]
    fn pauses_grow_and_the_failure_is_logged_once() {
        let (mut retries, acme, mut now) = (Retries::default(), id("acme"), Instant::now());
        let mut pauses = Vec::new();
        for round in 0..11 {
            assert_eq!(retries.failed(&acme, now), round == 0);
            assert!(!retries.may_try(&acme, now) && retries.may_try(&id("other"), now));
            let pause = retries.0[&acme].pause;
            assert!(!retries.may_try(&acme, now + pause - Duration::from_millis(1)));
            now += pause;
            assert!(retries.may_try(&acme, now));
            pauses.push(pause.as_secs());
        }
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
        assert!(retries.forget(&acme) && !retries.forget(&acme));
        assert!(retries.failed(&acme, now), "after a success a failure is reported again");
    }

    #[test]
    fn waiting_tenants_are_counted_and_later_forgotten() {
        let (mut retries, now) = (Retries::default(), Instant::now());
        retries.failed(&id("a"), now);
        retries.again(&id("b"), now);
        assert_eq!(retries.waiting(now), 2);
        assert_eq!(retries.waiting(now + FIRST_PAUSE), 0);
        assert!(!retries.forget(&id("b")), "nothing had failed");
        retries.waiting(now + FORGOTTEN_AFTER + FIRST_PAUSE);
        assert!(retries.0.is_empty());
    }
}
