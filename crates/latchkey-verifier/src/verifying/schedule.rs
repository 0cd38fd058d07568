//! When a value is fetched, and how long it is used. This code is pure. A value is first fresh; then it is
//! used while a fetch runs in the background; then it is used as long as fetches fail; then it is not used
//! any more.

use std::time::Duration;

use crate::verifying::clock::Moment;

/// The first wait after a fetch that failed; it doubles up to [`LONGEST_WAIT`].
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// How long a fetched value is used, from before its request on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct UseDuration {
    pub(crate) at: Moment,
    /// Used without a fetch.
    pub(crate) fresh: Duration,
    /// After its freshness, it is used for this time while a fetch runs in the background.
    pub(crate) revalidate: Duration,
    /// After it was fresh, used for so long when fetches fail.
    pub(crate) stale: Duration,
}

/// The fetches of one value.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Attempts {
    pub(crate) is_running: bool,
    /// How many have ended.
    pub(crate) count: u64,
    /// When the last fetch ended.
    pub(crate) ended: Option<Moment>,
    /// How many have failed since the last success.
    pub(crate) failures: u32,
}

/// The step of a use of the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    /// Takes the value.
    Serve,
    /// Takes the value, and starts a fetch in the background.
    ServeAndFetch,
    /// Waits for a fetch, and starts one if none runs.
    Wait,
    /// Takes nothing: there is no value, and the next fetch is not due yet.
    Refuse,
}

impl UseDuration {
    /// Whether the value may be used after a fetch that returned no new one.
    pub(crate) fn is_usable(&self, now: Moment) -> bool {
        now.since(self.at) < self.fresh.saturating_add(self.stale.max(self.revalidate))
    }
}

impl Attempts {
    /// How long the next fetch has to wait.
    pub(crate) fn wait(&self, now: Moment) -> Duration {
        let Some(ended) = self.ended.filter(|_| self.failures > 0) else { return Duration::ZERO };
        let wait = FIRST_WAIT.saturating_mul(1 << (self.failures - 1).min(5)).min(LONGEST_WAIT);
        wait.saturating_sub(now.since(ended))
    }

    fn may_start(&self, now: Moment) -> bool {
        !self.is_running && self.wait(now).is_zero()
    }

    /// Whether a fetch for something that the value lacks may start: one in each cool-down, whether it
    /// succeeds or not.
    pub(crate) fn may_start_for_missing(&self, now: Moment, cool_down: Duration) -> bool {
        !self.is_running && self.ended.is_none_or(|ended| now.since(ended) >= cool_down)
    }

    /// The step of a use.
    pub(crate) fn decide(&self, held: Option<&UseDuration>, now: Moment) -> Use {
        let serve = if self.may_start(now) { Use::ServeAndFetch } else { Use::Serve };
        let wait = if self.is_running || self.may_start(now) { Use::Wait } else { Use::Refuse };
        let Some(held) = held else { return wait };
        let age = now.since(held.at);
        if age < held.fresh {
            Use::Serve
        } else if age < held.fresh.saturating_add(held.revalidate) {
            serve
        } else if !held.is_usable(now) {
            wait
        } else if self.failures > 0 {
            // During an outage no request waits.
            serve
        } else {
            Use::Wait
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Moment {
        let passed = Duration::from_secs(seconds);
        Moment { monotonic: passed, unix: passed }
    }

    fn held() -> UseDuration {
        let seconds = Duration::from_secs;
        UseDuration { at: at(1_000), fresh: seconds(300), revalidate: seconds(60), stale: seconds(3_600) }
    }

    #[test]
    fn value_ages_from_fresh_to_refused() {
        let idle = Attempts { ended: Some(at(1_000)), ..Attempts::default() };
        let running = Attempts { is_running: true, ..idle };
        let failed = Attempts { failures: 3, ended: Some(at(1_500)), ..idle };
        let failed_long_ago = Attempts { failures: 3, ended: Some(at(1_300)), ..idle };
        for (now, attempts, expected) in [
            (1_299, idle, Use::Serve),
            (1_300, idle, Use::ServeAndFetch),
            (1_300, running, Use::Serve),
            (1_359, idle, Use::ServeAndFetch),
            (1_360, idle, Use::Wait),
            (1_360, running, Use::Wait),
            (1_501, failed, Use::Serve),
            (1_504, failed, Use::ServeAndFetch),
            (4_899, failed_long_ago, Use::ServeAndFetch),
            (4_899, idle, Use::Wait),
            (4_900, failed_long_ago, Use::Wait),
            (4_900, Attempts { ended: Some(at(4_899)), ..failed }, Use::Refuse),
        ] {
            assert_eq!(attempts.decide(Some(&held()), at(now)), expected, "{now} {attempts:?}");
        }
    }

    #[test]
    fn failed_first_fetch_is_not_retried_immediately() {
        let failed = Attempts { failures: 1, ended: Some(at(10)), ..Attempts::default() };
        assert_eq!(Attempts::default().decide(None, at(0)), Use::Wait);
        assert_eq!(failed.decide(None, at(10)), Use::Refuse);
        assert_eq!(failed.decide(None, at(11)), Use::Wait);
    }

    #[test]
    fn retry_wait_doubles_up_to_30_seconds() {
        for (failures, seconds) in
            [(0, 0), (1, 1), (2, 2), (3, 4), (4, 8), (5, 16), (6, 30), (7, 30), (u32::MAX, 30)]
        {
            let attempts = Attempts { failures, ended: Some(at(10)), ..Attempts::default() };
            assert_eq!(attempts.wait(at(10)).as_secs(), seconds, "{failures}");
        }
    }

    #[test]
    fn missing_key_is_fetched_once_per_cool_down() {
        let cool_down = Duration::from_secs(10);
        let ended = Attempts { ended: Some(at(100)), ..Attempts::default() };
        assert!(Attempts::default().may_start_for_missing(at(0), cool_down));
        assert!(!ended.may_start_for_missing(at(109), cool_down));
        assert!(ended.may_start_for_missing(at(110), cool_down));
        assert!(!Attempts { is_running: true, ..ended }.may_start_for_missing(at(200), cool_down));
    }
}
