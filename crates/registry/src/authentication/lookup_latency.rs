//! The delay of refusals. It is long enough to hide whether the store was read for the client.

use std::time::Duration;

use parking_lot::Mutex;

/// The minimum delay of a refusal.
const LEAST: Duration = Duration::from_millis(5);
/// The last minute in slices of 10 s, and the current slice.
const SLICES: usize = 7;
const SLICE: Duration = Duration::from_secs(10);
/// Eight buckets for each doubling of [`LEAST`], up to 20 s. The first bucket counts all shorter lookups.
const BUCKETS: usize = 1 + 8 * 12;

/// A histogram of the lookups of the last minute that read the store. Times are durations since its creation.
pub(crate) struct LookupLatency {
    slices: Mutex<[Slice; SLICES]>,
}

#[derive(Clone, Copy)]
struct Slice {
    number: u64,
    buckets: [u32; BUCKETS],
}

impl LookupLatency {
    pub(crate) fn new() -> Self {
        Self { slices: Mutex::new([Slice { number: 0, buckets: [0; BUCKETS] }; SLICES]) }
    }

    /// Adds a lookup that ended at `at`.
    pub(crate) fn note(&self, took: Duration, at: Duration) {
        let number = slice(at);
        let mut slices = self.slices.lock();
        let slice = &mut slices[place(number)];
        if slice.number != number {
            *slice = Slice { number, buckets: [0; BUCKETS] };
        }
        let count = &mut slice.buckets[bucket(took)];
        *count = count.saturating_add(1);
    }

    /// The current delay of refusals: the 99.9th percentile of the last minute's lookups, at least 5 ms.
    pub(crate) fn refusal_delay(&self, at: Duration) -> Duration {
        let now = slice(at);
        let slices = self.slices.lock();
        let last_minute = slices.iter().filter(|slice| now - slice.number.min(now) < SLICES as u64);
        let mut buckets = [0_u64; BUCKETS];
        for slice in last_minute {
            for (sum, count) in buckets.iter_mut().zip(slice.buckets) {
                *sum += u64::from(count);
            }
        }
        let total: u64 = buckets.iter().sum();
        let allowed_beyond = total / 1_000;
        let mut beyond = 0;
        let highest = buckets.iter().rposition(|count| {
            beyond += count;
            beyond > allowed_beyond
        });
        upper_bound(highest.unwrap_or(0))
    }
}

fn slice(at: Duration) -> u64 {
    at.as_secs() / SLICE.as_secs()
}

fn place(number: u64) -> usize {
    // The remainder is less than `SLICES`.
    usize::try_from(number % SLICES as u64).unwrap_or_default()
}

fn bucket(took: Duration) -> usize {
    (0..BUCKETS).find(|bucket| took <= upper_bound(*bucket)).unwrap_or(BUCKETS - 1)
}

fn upper_bound(bucket: usize) -> Duration {
    let doublings = u32::try_from(bucket / 8).unwrap_or_default();
    // The powers of the eighth root of two, in millionths.
    const STEPS: [u32; 8] =
        [1_000_000, 1_090_508, 1_189_208, 1_296_840, 1_414_214, 1_542_211, 1_681_793, 1_834_008];
    LEAST * 2_u32.pow(doublings) * STEPS[bucket % 8] / 1_000_000
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    /// The delay after `times` lookups of `took` milliseconds each.
    fn delay_after(lookups: &[(u64, usize)]) -> Duration {
        let cold = LookupLatency::new();
        for (took, times) in lookups {
            for _ in 0..*times {
                cold.note(ms(*took), Duration::ZERO);
            }
        }
        cold.refusal_delay(Duration::ZERO)
    }

    // [found 5]
    #[test]
    fn delay_covers_99_9_percent_of_lookups_within_bounds() {
        for (lookups, least, most) in [
            (&[][..], 5, 5),
            (&[(0, 10), (5, 10)], 5, 5),
            (&[(1, 998), (40, 1)], 40, 44),
            (&[(1, 9_990), (40, 10)], 5, 5),
            (&[(1, 9_990), (40, 11)], 40, 44),
            (&[(300, 3)], 300, 327),
            (&[(3_600_000, 1)], 18_000, 20_480),
        ] {
            let delay = delay_after(lookups);
            assert!(delay >= ms(least) && delay <= ms(most), "{lookups:?}: {delay:?}");
        }
    }

    #[test]
    fn a_lookup_counts_for_a_minute() {
        let cold = LookupLatency::new();
        cold.note(ms(100), ms(9_000));
        for (after, is_slow) in [(9, true), (60, true), (69, true), (70, false), (1_000_000, false)] {
            let delay = cold.refusal_delay(Duration::from_secs(after));
            assert_eq!(delay >= ms(100), is_slow, "{after}: {delay:?}");
        }
        cold.note(ms(1), Duration::from_secs(70));
        assert_eq!(cold.refusal_delay(Duration::from_secs(70)), LEAST, "its slice began anew");
    }

    #[test]
    fn bucket_bounds_grow_and_match_their_bucket() {
        for bucket in 1..BUCKETS {
            assert!(upper_bound(bucket) > upper_bound(bucket - 1));
            assert_eq!(super::bucket(upper_bound(bucket)), bucket);
        }
        assert_eq!((upper_bound(0), upper_bound(BUCKETS - 1)), (LEAST, LEAST * 4096));
    }
}
