//! Delays sign-ins: after each failure of one user name from one source, the next attempt waits longer. A
//! user name from another source is not delayed, because otherwise an attacker could lock a person out.
//! Unknown names wait like known names.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::time::Duration;

use parking_lot::Mutex;
use values::{Lifetime, Timestamp};

use crate::CallerAddress;

/// The number of failures without a delay, because people mistype.
const FREE: u32 = 3;
/// The first delay. Each further failure doubles it, up to `LONGEST`.
const FIRST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(5);
/// How long a pair's last failure is remembered.
const MAX_ENTRIES: Lifetime = Lifetime::from_seconds(900);
/// The maximum number of pairs in memory. Above it, the oldest is dropped. Each failure costs a hash, so an
/// attacker reaches it slowly.
const PAIRS: usize = 10_000;

/// The source and a hash of the name. Names are hashed, because people sometimes type a password there.
type Pair = (u64, CallerAddress);

#[derive(Default)]
pub struct SignInDelays {
    names: RandomState,
    pairs: Mutex<HashMap<Pair, Failures>>,
}

#[derive(Clone, Copy)]
struct Failures {
    count: u32,
    last: Timestamp,
}

impl SignInDelays {
    /// Starts an attempt and returns its delay. The attempt counts as failed immediately, so that concurrent
    /// attempts wait longer and longer.
    pub fn begin(&self, name: &str, source: CallerAddress, now: Timestamp) -> Duration {
        let pair = self.pair(name, source);
        let mut pairs = self.pairs.lock();
        let known = pairs.get(&pair).filter(|known| is_fresh(known, now)).map_or(0, |known| known.count);
        if pairs.len() >= PAIRS && !pairs.contains_key(&pair) {
            make_room(&mut pairs, now);
        }
        pairs.insert(pair, Failures { count: known.saturating_add(1), last: now });
        delay(known)
    }

    /// Drops the failures after the correct password.
    pub fn succeeded(&self, name: &str, source: CallerAddress) {
        self.pairs.lock().remove(&self.pair(name, source));
    }

    /// Cancels an attempt whose password was not checked.
    pub fn unchecked(&self, name: &str, source: CallerAddress) {
        if let Some(known) = self.pairs.lock().get_mut(&self.pair(name, source)) {
            known.count = known.count.saturating_sub(1);
        }
    }

    fn pair(&self, name: &str, source: CallerAddress) -> Pair {
        (self.names.hash_one(name), source)
    }
}

fn delay(failures: u32) -> Duration {
    let Some(doublings) = failures.checked_sub(FREE) else { return Duration::ZERO };
    FIRST.saturating_mul(1 << doublings.min(16)).min(LONGEST)
}

fn is_fresh(failures: &Failures, now: Timestamp) -> bool {
    now < failures.last + MAX_ENTRIES
}

fn make_room(pairs: &mut HashMap<Pair, Failures>, now: Timestamp) {
    pairs.retain(|_, failures| is_fresh(failures, now));
    if pairs.len() >= PAIRS {
        let oldest = pairs.iter().min_by_key(|(_, failures)| failures.last).map(|(pair, _)| *pair);
        oldest.map(|oldest| pairs.remove(&oldest));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    fn source(number: u32) -> CallerAddress {
        CallerAddress::new(Some(std::net::Ipv4Addr::from(number).into()))
    }

    fn fail(delays: &SignInDelays, name: &str, number: u32, seconds: u64) -> u128 {
        delays.begin(name, source(number), at(seconds)).as_millis()
    }

    // [limits #16]: failed sign-ins of one user from one source | 3 without delay, then 0.1 s doubling to 5
    //   s, for 15 minutes; 10 000 pairs are kept | the oldest pair is dropped
    // [found 9]
    #[test]
    fn delay_grows_per_user_and_source_to_five_seconds() {
        let delays = SignInDelays::default();
        let known: Vec<_> = (0..12).map(|_| fail(&delays, "admin", 1, 7)).collect();
        assert_eq!(known, [0, 0, 0, 100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000, 5_000]);
        assert_eq!(fail(&delays, "admin", 2, 7), 0, "the person herself, from elsewhere");
        assert_eq!(fail(&delays, "root", 1, 7), 0);
        let unknown: Vec<_> = (0..12).map(|_| fail(&delays, "nobody", 1, 7)).collect();
        assert_eq!(unknown, known, "no name is told from another one");
    }

    #[test]
    fn delay_ends_after_success_or_fifteen_minutes() {
        let delays = SignInDelays::default();
        let seen = |delays: &SignInDelays, seconds| {
            let delay = fail(delays, "admin", 1, seconds);
            delays.unchecked("admin", source(1));
            delay
        };
        for _ in 0..5 {
            fail(&delays, "admin", 1, 0);
        }
        assert_eq!(seen(&delays, 0), 400);
        assert_eq!(seen(&delays, 899), 400);
        assert_eq!(seen(&delays, 899 + 900), 0);
        for _ in 0..5 {
            fail(&delays, "admin", 1, 5_000);
        }
        delays.succeeded("admin", source(1));
        assert_eq!(seen(&delays, 5_000), 0);
    }

    // [limits #16]
    #[test]
    fn memory_is_bounded_and_the_oldest_pair_is_dropped() {
        let delays = SignInDelays::default();
        for _ in 0..4 {
            fail(&delays, "old", 1, 0);
            fail(&delays, "admin", 1, 1);
        }
        for number in 0..u32::try_from(PAIRS).unwrap() - 1 {
            fail(&delays, "admin", number + 2, 2);
        }
        assert_eq!(delays.pairs.lock().len(), PAIRS);
        assert_eq!(fail(&delays, "admin", 1, 3), 200);
        assert_eq!(fail(&delays, "old", 1, 3), 0);
        assert_eq!(delays.pairs.lock().len(), PAIRS);
    }
}
