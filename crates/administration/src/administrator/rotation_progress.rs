//! The progress of the scheduled rotation of a client's secret.

use values::{Lifetime, Timestamp};

const FIRST_PAUSE: Lifetime = Lifetime::from_seconds(600);
const LONGEST_PAUSE: Lifetime = Lifetime::from_seconds(86_400);

/// The state of the rotation, which is stored with the client next to the schedule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RotationProgress {
    /// When the schedule is checked next. `None`: now.
    pub due_at: Option<Timestamp>,
    /// When a rotation began, if its result is unknown.
    pub begun_at: Option<Timestamp>,
    /// How many rotations have failed since the last success.
    pub failures: u32,
    pub failed_at: Option<Timestamp>,
    pub failure: Option<String>,
}

impl RotationProgress {
    /// Sets when the next rotation is due.
    pub(crate) fn due(self, at: Timestamp) -> Self {
        Self { due_at: Some(at), begun_at: None, ..self }
    }

    /// A successful rotation resets the failures.
    pub(crate) fn succeeded(next: Timestamp) -> Self {
        Self { due_at: Some(next), ..Self::default() }
    }

    /// The pause doubles with each failure, from ten minutes up to a day.
    pub(crate) fn failed(self, now: Timestamp, why: String) -> Self {
        let doubled = FIRST_PAUSE.seconds() << self.failures.min(8);
        let pause = Lifetime::from_seconds(doubled).min(LONGEST_PAUSE);
        let (failures, failed_at, failure) = (self.failures.saturating_add(1), Some(now), Some(why));
        Self { due_at: Some(now + pause), begun_at: None, failures, failed_at, failure }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_pause_doubles_up_to_one_day() {
        let now = Timestamp::from_seconds(1_000_000);
        let mut progress = RotationProgress::default();
        let mut pauses = Vec::new();
        for _ in 0..70 {
            progress = progress.failed(now, "away".to_owned());
            pauses.push(progress.due_at.unwrap().seconds() - now.seconds());
        }
        assert_eq!(pauses[..4], [600, 1200, 2400, 4800]);
        assert!(pauses.is_sorted() && pauses[69] == 86_400, "{pauses:?}");
        assert_eq!(RotationProgress::succeeded(now).failures, 0);
    }
}
