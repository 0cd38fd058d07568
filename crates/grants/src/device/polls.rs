//! How often devices poll (RFC 8628 §3.5). It is known to the replica that was polled, and to no store: a poll writes nothing.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use protocol::{Lifetime, Timestamp};

use super::POLL_INTERVAL;

/// "the interval MUST be increased by 5 seconds for this and all subsequent requests".
const INCREASE: Lifetime = Lifetime::from_seconds(5);
/// Times are in whole seconds: two polls at the right distance can seem to be this much closer.
const ROUNDING: u64 = 1;
/// The most codes that are remembered: some 10 MB.
const MOST: usize = 100_000;
/// From so many on, expired ones are looked for.
const FEW: usize = 1_024;

/// The polls of codes that are waiting. The digest of a code has its tenant in it.
#[derive(Default)]
pub(super) struct Polls(Mutex<Known>);

#[derive(Default)]
struct Known {
    polls: HashMap<[u8; 32], Poll>,
    /// The number of codes at which expired ones are forgotten.
    sweep_at: usize,
    /// When they were looked for: once a second, however many codes there are.
    swept_at: Option<Timestamp>,
}

struct Poll {
    last: Timestamp,
    interval: Lifetime,
    valid_until: Timestamp,
}

impl Polls {
    /// Notes a poll. Says whether it comes too early, which makes the interval longer.
    pub(super) fn is_too_early(&self, digest: &[u8; 32], now: Timestamp) -> bool {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(poll) = known.polls.get_mut(digest) else { return false };
        let since = now.seconds().saturating_sub(poll.last.seconds());
        let is_early = since + ROUNDING < poll.interval.seconds();
        if is_early {
            poll.interval = Lifetime::from_seconds(poll.interval.seconds() + INCREASE.seconds());
        }
        poll.last = now;
        is_early
    }

    /// Remembers that a code which exists was polled for the first time.
    pub(super) fn note(&self, digest: [u8; 32], valid_until: Timestamp, now: Timestamp) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.polls.len() >= known.sweep_at.max(FEW) && known.swept_at != Some(now) {
            known.swept_at = Some(now);
            known.polls.retain(|_, poll| poll.valid_until > now);
            known.sweep_at = (known.polls.len() * 2).min(MOST);
        }
        if known.polls.len() < MOST {
            let first = || Poll { last: now, interval: POLL_INTERVAL, valid_until };
            known.polls.entry(digest).or_insert_with(first);
        }
    }

    /// Forgets a code that is waiting no more.
    pub(super) fn forget(&self, digest: &[u8; 32]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).polls.remove(digest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    #[test]
    fn each_poll_that_comes_too_early_makes_the_interval_longer() {
        let polls = Polls::default();
        let code = [1; 32];
        assert!(!polls.is_too_early(&code, at(100)));
        polls.note(code, at(700), at(100));
        assert!(!polls.is_too_early(&[2; 32], at(100)), "another code");
        for (seconds, expected) in
            [(105, false), (109, false), (112, true), (118, true), (128, true), (150, false)]
        {
            assert_eq!(polls.is_too_early(&code, at(seconds)), expected, "{seconds}");
        }
        polls.forget(&code);
        assert!(!polls.is_too_early(&code, at(151)));
    }

    #[test]
    fn expired_codes_are_forgotten_and_no_more_than_so_many_are_remembered() {
        let polls = Polls::default();
        let code = |number: u64| {
            let mut digest = [0; 32];
            digest[..8].copy_from_slice(&number.to_be_bytes());
            digest
        };
        let len = || polls.0.lock().unwrap().polls.len();
        for number in 0..5_000 {
            polls.note(code(number), at(600 + number), at(number));
        }
        assert!(len() < 2_000, "{}", len());
        for number in 0..150_000 {
            polls.note(code(number), at(1_000_000), at(20_000));
        }
        assert_eq!(len(), MOST);
    }
}
