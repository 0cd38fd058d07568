//! The intervals of periodic work, and the log of its outages.

use std::error::Error;
use std::fmt::Display;
use std::time::Duration;

use administration::edit::EditError;
use tenancy::StoreError;
use tokio::time::{Interval, MissedTickBehavior, interval};
use values::causes;

/// Ticks immediately, and then after each interval. A long round delays the next one.
pub(crate) fn rounds(every: Duration) -> Interval {
    let mut rounds = interval(every);
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    rounds
}

/// Logs when work begins to fail and when it succeeds again, so a long outage has two lines. The health check
/// logs outages of the store.
#[derive(Debug, Default)]
pub(crate) struct OutageLog {
    is_failing: bool,
}

impl OutageLog {
    pub(crate) fn note<T>(
        &mut self,
        outcome: &Result<T, impl Error + 'static>,
        failing: impl Display,
        again: impl Display,
    ) {
        if outcome.as_ref().is_err_and(|error| is_store_missed(error)) {
            return;
        }
        match (outcome, self.is_failing) {
            (Err(error), false) => tracing::warn!(error = causes(error), "{failing}"),
            (Ok(_), true) => tracing::info!("{again}"),
            (Err(_), true) | (Ok(_), false) => {}
        }
        self.is_failing = outcome.is_err();
    }
}

/// Whether the error is an outage of the store, which the health check logs.
pub(crate) fn is_store_missed(error: &(dyn Error + 'static)) -> bool {
    let error = match error.downcast_ref() {
        Some(EditError::Store(error)) => Some(error),
        _ => error.downcast_ref(),
    };
    matches!(error, Some(StoreError::Unavailable(_)))
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn only_the_health_check_logs_store_outages() {
        let down = || StoreError::unavailable("down");
        assert!(is_store_missed(&down()) && is_store_missed(&EditError::Store(down())));
        let broken = StoreError::fault("broken");
        assert!(!is_store_missed(&broken) && !is_store_missed(&EditError::Store(broken.clone())));
        assert!(!is_store_missed(&EditError::Busy) && !is_store_missed(&io::Error::other("x")));
    }
}
