//! A circuit breaker: all requests use the connection while it works. After the first failure no request uses
//! Redis until a probe has opened a new connection.

use std::sync::{PoisonError, RwLock};

/// The connection, while it works.
pub(crate) struct Breaker<C> {
    state: RwLock<State<C>>,
}

struct State<C> {
    /// The number of connections so far, so that a late failure of an old connection does
    /// not close its successor.
    number: u64,
    connection: Option<C>,
}

impl<C: Clone> Breaker<C> {
    /// No connection was tried yet, so no request waits.
    pub(crate) fn open() -> Self {
        Self { state: RwLock::new(State { number: 0, connection: None }) }
    }

    /// The connection with its number, if it works.
    pub(crate) fn admit(&self) -> Option<(u64, C)> {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        state.connection.clone().map(|connection| (state.number, connection))
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.state.read().unwrap_or_else(PoisonError::into_inner).connection.is_some()
    }

    /// Installs a connection over which a probe was answered.
    pub(crate) fn close(&self, connection: C) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        state.number += 1;
        state.connection = Some(connection);
    }

    /// Records that the connection of this number failed. Returns whether this is the first report; then the
    /// caller starts the probes.
    pub(crate) fn trip(&self, number: u64) -> bool {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        state.number == number && state.connection.take().is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_failure_opens_it_and_one_success_closes_it() {
        let breaker = Breaker::open();
        assert!(breaker.admit().is_none() && !breaker.is_closed());
        breaker.close("first");
        assert_eq!(breaker.admit(), Some((1, "first")));
        assert!(breaker.trip(1));
        assert!(breaker.admit().is_none());
        breaker.close("second");
        assert_eq!(breaker.admit(), Some((2, "second")));
    }

    #[test]
    fn of_many_failures_at_once_only_the_first_trips_the_breaker() {
        let breaker = Breaker::open();
        breaker.close("first");
        assert!(breaker.trip(1));
        assert!(!breaker.trip(1));
        breaker.close("second");
        assert!(!breaker.trip(1));
        assert!(breaker.is_closed());
    }
}
