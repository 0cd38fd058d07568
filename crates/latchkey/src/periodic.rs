//! The rounds of periodic work, and the log of its outages.

use std::error::Error;
use std::fmt::Display;
use std::time::Duration;

use tokio::time::{Interval, MissedTickBehavior, interval};
use values::causes;

/// Ticks at once, and then whenever this time has passed. A long round delays the next one.
pub(crate) fn rounds(every: Duration) -> Interval {
    let mut rounds = interval(every);
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    rounds
}

/// Logs when work begins to fail and when it is done again: a long outage is two lines.
#[derive(Debug, Default)]
pub(crate) struct OutageLog {
    is_failing: bool,
}

impl OutageLog {
    pub(crate) fn note<T>(
        &mut self,
        outcome: &Result<T, impl Error>,
        failing: impl Display,
        again: impl Display,
    ) {
        match (outcome, self.is_failing) {
            (Err(error), false) => tracing::warn!(error = causes(error), "{failing}"),
            (Ok(_), true) => tracing::info!("{again}"),
            (Err(_), true) | (Ok(_), false) => {}
        }
        self.is_failing = outcome.is_err();
    }
}
