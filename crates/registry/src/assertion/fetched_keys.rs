//! Decides when the key set of a `jwks_uri` is fetched again, and how long it may be used. The decisions have
//! no side effects; times count from an arbitrary start.

use std::sync::Arc;
use std::time::Duration;

use keys::PublicKeys;

/// The minimum and the maximum freshness of a set. Within these limits `Cache-Control` of the response
/// applies.
const FRESH: [Duration; 2] = [Duration::from_secs(60), Duration::from_secs(3_600)];
/// The freshness of a set whose response has no `Cache-Control`.
const FRESH_BY_DEFAULT: Duration = Duration::from_secs(600);
/// How long a set may be used after it was fetched, while fetching a new set fails.
const STALE: Duration = Duration::from_secs(86_400);
/// The pause after a failed fetch.
const PAUSE: Duration = Duration::from_secs(30);
/// The minimum time between two fetches for assertions that no key of the set verifies.
const UNKNOWN_KEY: Duration = Duration::from_secs(60);

/// What is known about one URL of one tenant.
#[derive(Default)]
pub(crate) struct FetchedKeys {
    set: Option<Arc<PublicKeys>>,
    fetched_at: Duration,
    fresh_until: Duration,
    /// When the last fetch ended, if it failed.
    failed_at: Option<Duration>,
    /// When the last fetch for an unknown key started.
    sought_at: Option<Duration>,
    is_running: bool,
}

#[derive(Clone, Debug)]
pub(crate) enum FetchStep {
    /// Use this set.
    Use(Arc<PublicKeys>),
    /// Use this set, and fetch a new set in the background.
    UseAndFetch(Arc<PublicKeys>),
    /// Start a fetch or wait for the running fetch, then decide again.
    Fetch,
    /// Continue without keys.
    GoWithout,
}

impl FetchedKeys {
    /// The next step of a request that needs the set.
    pub(crate) fn step(&self, now: Duration) -> FetchStep {
        let usable = self.set.clone().filter(|_| now < self.fetched_at + STALE);
        let waits = self.is_running || !self.failed_lately(now);
        match (usable, self.failed_at) {
            (Some(set), _) if now < self.fresh_until => FetchStep::Use(set),
            // The source failed recently. No request waits to find out whether it works again.
            (Some(set), Some(_)) if self.is_running || self.failed_lately(now) => FetchStep::Use(set),
            (Some(set), Some(_)) => FetchStep::UseAndFetch(set),
            _ if waits => FetchStep::Fetch,
            _ => FetchStep::GoWithout,
        }
    }

    /// The next step if no key of the set `seen` verifies the assertion. The client may have new keys.
    pub(crate) fn step_beyond(&self, seen: &Arc<PublicKeys>, now: Duration) -> FetchStep {
        let newer = self.set.as_ref().filter(|set| !Arc::ptr_eq(set, seen));
        let sought_lately = self.sought_at.is_some_and(|at| now < at + UNKNOWN_KEY);
        match newer {
            Some(newer) => FetchStep::Use(Arc::clone(newer)),
            None if self.is_running => FetchStep::Fetch,
            None if sought_lately || self.failed_lately(now) => FetchStep::GoWithout,
            None => FetchStep::Fetch,
        }
    }

    /// Starts a fetch. Returns `false` if a fetch is already running.
    pub(crate) fn begin(&mut self, for_unknown_key: bool, now: Duration) -> bool {
        if self.is_running {
            return false;
        }
        self.is_running = true;
        if for_unknown_key {
            self.sought_at = Some(now);
        }
        true
    }

    /// Ends a fetch with its result; `None` is a failure. A failed fetch keeps the previous set.
    pub(crate) fn end(&mut self, fetched: Option<(PublicKeys, Option<Duration>)>, now: Duration) {
        self.is_running = false;
        let Some((set, max_age)) = fetched else {
            self.failed_at = Some(now);
            return;
        };
        let [least, most] = FRESH;
        self.fresh_until = now + max_age.unwrap_or(FRESH_BY_DEFAULT).clamp(least, most);
        (self.set, self.fetched_at, self.failed_at) = (Some(Arc::new(set)), now, None);
    }

    pub(crate) const fn is_running(&self) -> bool {
        self.is_running
    }

    fn failed_lately(&self, now: Duration) -> bool {
        self.failed_at.is_some_and(|at| now < at + PAUSE)
    }

    /// Whether this entry can be dropped, because nothing in it affects a decision any more.
    pub(crate) fn is_over(&self, now: Duration) -> bool {
        let ends = [
            self.set.as_ref().map(|_| self.fetched_at + STALE),
            self.failed_at.map(|at| at + PAUSE),
            self.sought_at.map(|at| at + UNKNOWN_KEY),
        ];
        !self.is_running && ends.into_iter().flatten().all(|end| end <= now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn named(step: &FetchStep) -> &'static str {
        match step {
            FetchStep::Use(_) => "use",
            FetchStep::UseAndFetch(_) => "use and fetch",
            FetchStep::Fetch => "fetch",
            FetchStep::GoWithout => "go without",
        }
    }

    fn fetch(keys: &mut FetchedKeys, max_age: Option<u64>, now: u64) {
        assert!(keys.begin(false, at(now)));
        keys.end(Some((PublicKeys::default(), max_age.map(at))), at(now));
    }

    fn fail(keys: &mut FetchedKeys, for_unknown_key: bool, now: u64) {
        assert!(keys.begin(for_unknown_key, at(now)));
        keys.end(None, at(now));
    }

    fn fetched(max_age: Option<u64>) -> FetchedKeys {
        let mut keys = FetchedKeys::default();
        fetch(&mut keys, max_age, 0);
        keys
    }

    fn used(step: FetchStep) -> Arc<PublicKeys> {
        match step {
            FetchStep::Use(set) => set,
            other => panic!("{other:?}"),
        }
    }

    // [federation SPIFFE draft §5.1]: The bundle endpoint is polled after `spiffe_refresh_hint`. Here it is
    //   fetched when an assertion needs it, after the `Cache-Control` of its answer, at most an hour |
    //   departs
    #[test]
    fn max_age_is_respected_within_bounds() {
        for (max_age, fresh_for) in [
            (None, 600),
            (Some(0), 60),
            (Some(59), 60),
            (Some(61), 61),
            (Some(3_600), 3_600),
            (Some(9_999_999), 3_600),
        ] {
            let keys = fetched(max_age);
            for (after, expected) in
                [(0, "use"), (fresh_for - 1, "use"), (fresh_for, "fetch"), (90_000, "fetch")]
            {
                assert_eq!(named(&keys.step(at(after))), expected, "{max_age:?} after {after} s");
            }
        }
    }

    // [registration RFC 7591 §2 g]
    #[test]
    fn stale_set_survives_a_day_of_failed_fetches() {
        let mut keys = fetched(Some(60));
        fail(&mut keys, false, 100);
        for (after, expected) in
            [(100, "use"), (129, "use"), (130, "use and fetch"), (86_399, "use and fetch"), (86_400, "fetch")]
        {
            assert_eq!(named(&keys.step(at(after))), expected, "after {after} s");
        }
        assert!(keys.begin(false, at(130)));
        assert_eq!(named(&keys.step(at(131))), "use", "no request waits for a source that was away");
        assert!(!keys.begin(false, at(131)), "one fetch at a time");
        keys.end(None, at(86_400));
        assert_eq!(named(&keys.step(at(86_429))), "go without");
        fetch(&mut keys, None, 86_430);
        assert_eq!(named(&keys.step(at(86_430))), "use");
    }

    #[test]
    fn requests_without_a_set_wait_for_running_fetch() {
        let mut keys = FetchedKeys::default();
        assert!(keys.begin(false, at(0)) && !keys.begin(true, at(0)));
        assert_eq!(named(&keys.step(at(1))), "fetch");
        keys.end(None, at(2));
        assert_eq!(named(&keys.step(at(2))), "go without");
    }

    #[test]
    fn failing_source_is_fetched_twice_a_minute() {
        let (mut keys, mut fetches) = (FetchedKeys::default(), 0);
        for second in 0..600 {
            if let FetchStep::Fetch = keys.step(at(second)) {
                fail(&mut keys, false, second);
                fetches += 1;
            }
        }
        assert_eq!(fetches, 20);
    }

    #[test]
    fn unknown_key_causes_one_fetch_a_minute() {
        let (mut keys, mut fetches) = (fetched(Some(3_600)), 0);
        let mut seen = used(keys.step(at(1)));
        assert_eq!(named(&keys.step_beyond(&seen, at(1))), "fetch", "also just after another fetch");
        for second in 1..=600 {
            if let FetchStep::Fetch = keys.step_beyond(&seen, at(second)) {
                assert!(keys.begin(true, at(second)));
                keys.end(Some((PublicKeys::default(), Some(at(3_600)))), at(second));
                seen = used(keys.step_beyond(&seen, at(second)));
                fetches += 1;
            }
        }
        assert_eq!(fetches, 10);
    }

    #[test]
    fn failed_fetch_keeps_the_set_and_delays_retries() {
        let mut keys = fetched(Some(3_600));
        let seen = used(keys.step(at(1)));
        fail(&mut keys, true, 1);
        for (after, expected) in [(1, "go without"), (60, "go without"), (61, "fetch")] {
            assert_eq!(named(&keys.step_beyond(&seen, at(after))), expected, "{after}");
            assert_eq!(named(&keys.step(at(after))), "use", "{after}");
        }
    }

    #[test]
    fn entry_without_set_or_recent_fetch_may_be_dropped() {
        let mut keys = FetchedKeys::default();
        assert!(keys.is_over(at(0)));
        fail(&mut keys, true, 0);
        for (after, expected) in [(0, false), (59, false), (60, true)] {
            assert_eq!(keys.is_over(at(after)), expected, "{after}");
        }
        fetch(&mut keys, None, 10);
        assert!(!keys.is_over(at(86_409)) && keys.is_over(at(86_410)));
        assert!(keys.begin(false, at(86_410)) && !keys.is_over(at(99_999)));
    }
}
