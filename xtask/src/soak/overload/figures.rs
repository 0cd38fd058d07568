//! The figures of a phase: answers of each kind with their latencies, and the time until a phase is like
//! normal operation.

use std::time::Duration;

use super::connection::Outcome;
use super::generator::Record;
use crate::soak::calls::percentile;

/// The recovery is judged in windows of this length.
const WINDOW: Duration = Duration::from_millis(250);
/// The consecutive windows that must be normal.
const NORMAL_WINDOWS: u32 = 4;

/// The requests that were due in one phase.
pub(super) struct Figures<'a> {
    records: Vec<&'a Record>,
    from: Duration,
    to: Duration,
}

impl<'a> Figures<'a> {
    pub(super) fn new(records: impl IntoIterator<Item = &'a Record>, from: Duration, to: Duration) -> Self {
        let records = records.into_iter().filter(|record| (from..to).contains(&record.due)).collect();
        Self { records, from, to }
    }

    pub(super) fn offered(&self) -> usize {
        self.records.len()
    }

    pub(super) fn count(&self, is_counted: impl Fn(Outcome) -> bool) -> usize {
        self.records.iter().filter(|record| is_counted(record.outcome)).count()
    }

    /// Accepted answers that came within the phase, a second.
    pub(super) fn goodput(&self) -> f64 {
        let is_within =
            |record: &&&Record| record.outcome == Outcome::Accepted && record.due + record.took < self.to;
        let count = u32::try_from(self.records.iter().filter(is_within).count()).unwrap_or(u32::MAX);
        f64::from(count) / (self.to - self.from).as_secs_f64()
    }

    /// The percentile in milliseconds.
    pub(super) fn percentile(&self, percent: usize, is_counted: impl Fn(Outcome) -> bool) -> f64 {
        let counted = self.records.iter().filter(|record| is_counted(record.outcome));
        percentile(counted.map(|record| record.took), percent)
    }

    /// The time from the begin of the phase until all requests are accepted and p99 is at most this many
    /// milliseconds, both for a whole second.
    pub(super) fn normal_after(&self, most_p99: f64) -> Option<Duration> {
        let mut normal = 0;
        let mut begin = self.from;
        while begin + WINDOW <= self.to {
            let window = Self::new(self.records.iter().copied(), begin, begin + WINDOW);
            let is_normal = window.offered() > 0
                && window.count(is_accepted) == window.offered()
                && window.percentile(99, is_accepted) <= most_p99;
            normal = if is_normal { normal + 1 } else { 0 };
            begin += WINDOW;
            if normal == NORMAL_WINDOWS {
                return Some(begin - self.from - WINDOW * NORMAL_WINDOWS);
            }
        }
        None
    }
}

pub(super) fn is_accepted(outcome: Outcome) -> bool {
    outcome == Outcome::Accepted
}

pub(super) fn is_refused(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Refused { .. })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_normal_windows_end_the_recovery() {
        let ms = Duration::from_millis;
        let record = |due: u64| {
            let took = ms(if due < 600 { 50 } else { 1 });
            let outcome = if due == 1_000 { Outcome::Failed } else { Outcome::Accepted };
            Record { due: ms(due), took, outcome }
        };
        let records: Vec<_> = (0..300).map(|number| record(number * 10)).collect();
        let figures = Figures::new(&records, Duration::ZERO, ms(3_000));
        assert_eq!(figures.normal_after(2.0), Some(ms(1_250)));
        assert_eq!(figures.normal_after(0.5), None);
        assert_eq!(Figures::new(&records, ms(1_500), ms(3_000)).normal_after(2.0), Some(Duration::ZERO));
        assert_eq!(figures.goodput(), 299.0 / 3.0);
    }
}
