//! Histogram of response times.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Microseconds, and the same in seconds as text. A signature takes 15 to 600 microseconds.
pub(super) const BOUNDS: [(u64, &str); 16] = [
    (50, "0.00005"),
    (100, "0.0001"),
    (250, "0.00025"),
    (500, "0.0005"),
    (1_000, "0.001"),
    (2_500, "0.0025"),
    (5_000, "0.005"),
    (10_000, "0.01"),
    (25_000, "0.025"),
    (50_000, "0.05"),
    (100_000, "0.1"),
    (250_000, "0.25"),
    (500_000, "0.5"),
    (1_000_000, "1"),
    (2_500_000, "2.5"),
    (10_000_000, "10"),
];
/// The last bucket has no upper bound.
const BUCKETS: usize = BOUNDS.len() + 1;

/// The count of each bucket, not cumulative.
#[derive(Default)]
pub(super) struct Histogram {
    pub(super) buckets: [AtomicU64; BUCKETS],
    pub(super) nanoseconds: AtomicU64,
}

impl Histogram {
    pub(super) fn record(&self, took: Duration) {
        let nanoseconds = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        let within = |&(bound, _): &(u64, &str)| nanoseconds <= bound * 1_000;
        let bucket = BOUNDS.iter().position(within).unwrap_or(BOUNDS.len());
        self.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        self.nanoseconds.fetch_add(nanoseconds, Ordering::Relaxed);
    }

    pub(super) fn add(&mut self, other: &Self) {
        for (sum, bucket) in self.buckets.iter_mut().zip(&other.buckets) {
            *sum.get_mut() += bucket.load(Ordering::Relaxed);
        }
        let nanoseconds = self.nanoseconds.get_mut();
        *nanoseconds = nanoseconds.wrapping_add(other.nanoseconds.load(Ordering::Relaxed));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn duration_counts_in_the_smallest_sufficient_bucket() {
        for (nanoseconds, bucket) in
            [(0, 0), (50_000, 0), (50_001, 1), (200_000, 2), (10_000_000_000, 15), (10_000_000_001, 16)]
        {
            let histogram = Histogram::default();
            histogram.record(Duration::from_nanos(nanoseconds));
            let mut sum = Histogram::default();
            sum.add(&histogram);
            let counted = sum.buckets.iter_mut().position(|count| *count.get_mut() == 1);
            assert_eq!(counted, Some(bucket), "{nanoseconds}");
            assert_eq!(*sum.nanoseconds.get_mut(), nanoseconds);
        }
    }

    #[test]
    fn bound_labels_match_their_durations() {
        for (microseconds, seconds) in BOUNDS {
            let written: f64 = seconds.parse().unwrap();
            assert!((written * 1e6 - microseconds as f64).abs() < 1e-6, "{seconds}");
        }
    }
}
