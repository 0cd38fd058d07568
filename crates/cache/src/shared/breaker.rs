//! A circuit breaker. All requests use the connection while it works. After the first failure of a node, no
//! request uses this node until a probe has opened a new connection.

use std::collections::BTreeSet;

use parking_lot::RwLock;

pub(crate) struct Breaker<C> {
    state: RwLock<BreakerState<C>>,
}

struct BreakerState<C> {
    /// The number of connections so far. Used to ignore a late failure of a previous connection.
    number: u64,
    connection: Option<C>,
    /// The indexes of failed nodes.
    down: BTreeSet<usize>,
    /// Whether probes are running.
    is_probed: bool,
}

impl<C: Clone> Breaker<C> {
    /// Starts without a connection, so that no request waits. The caller starts the probes.
    pub(crate) fn open() -> Self {
        let (connection, down) = (None, BTreeSet::new());
        Self { state: RwLock::new(BreakerState { number: 0, connection, down, is_probed: true }) }
    }

    /// The connection with its number and the node, if the node works.
    pub(crate) fn admit(&self, node_of: impl FnOnce(&C) -> Option<usize>) -> Option<(u64, usize, C)> {
        let state = self.state.read();
        let connection = state.connection.as_ref()?;
        let node = node_of(connection).filter(|node| !state.down.contains(node))?;
        Some((state.number, node, connection.clone()))
    }

    /// Whether the node works.
    pub(crate) fn admits(&self, node_of: impl FnOnce(&C) -> Option<usize>) -> bool {
        let state = self.state.read();
        let node = state.connection.as_ref().and_then(node_of);
        node.is_some_and(|node| !state.down.contains(&node))
    }

    /// Whether all nodes work.
    pub(crate) fn is_closed(&self) -> bool {
        let state = self.state.read();
        state.connection.is_some() && state.down.is_empty()
    }

    /// Installs a connection after a probe. `down` are the nodes that did not answer; if there are any,
    /// probes continue. Returns the number of the connection.
    pub(crate) fn close(&self, connection: C, down: BTreeSet<usize>) -> u64 {
        let mut state = self.state.write();
        state.number += 1;
        state.connection = Some(connection);
        state.is_probed = !down.is_empty();
        state.down = down;
        state.number
    }

    /// Records that a key has moved to another node. Returns whether the caller must start the probes, which
    /// find the new node.
    pub(crate) fn key_moved(&self, number: u64) -> bool {
        let mut state = self.state.write();
        state.number == number && !std::mem::replace(&mut state.is_probed, true)
    }

    /// Records that a node failed on the connection with this number. Returns whether this is the first
    /// failure of the node, and whether the caller must start the probes.
    pub(crate) fn trip(&self, number: u64, node: usize) -> (bool, bool) {
        let mut state = self.state.write();
        let is_first = state.number == number && state.down.insert(node);
        (is_first, is_first && !std::mem::replace(&mut state.is_probed, true))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admitted(breaker: &Breaker<&'static str>, node: usize) -> Option<(u64, usize, &'static str)> {
        breaker.admit(|_| Some(node))
    }

    #[test]
    fn failure_opens_and_success_closes_the_breaker() {
        let breaker = Breaker::open();
        assert!(admitted(&breaker, 0).is_none() && !breaker.is_closed());
        breaker.close("first", BTreeSet::new());
        assert_eq!(admitted(&breaker, 0), Some((1, 0, "first")));
        assert_eq!(breaker.trip(1, 0), (true, true));
        assert!(admitted(&breaker, 0).is_none() && !breaker.is_closed());
        breaker.close("second", BTreeSet::new());
        assert_eq!(admitted(&breaker, 0), Some((2, 0, "second")));
    }

    #[test]
    fn first_of_many_failures_trips_the_breaker() {
        let breaker = Breaker::open();
        breaker.close("first", BTreeSet::new());
        assert_eq!(breaker.trip(1, 0), (true, true));
        assert_eq!(breaker.trip(1, 0), (false, false));
        breaker.close("second", BTreeSet::new());
        assert_eq!(breaker.trip(1, 0), (false, false));
        assert!(breaker.is_closed());
    }

    #[test]
    fn failing_node_does_not_stop_other_nodes() {
        let breaker = Breaker::open();
        breaker.close("first", BTreeSet::new());
        assert_eq!(breaker.trip(1, 2), (true, true));
        assert!(admitted(&breaker, 2).is_none() && !breaker.is_closed());
        assert_eq!(admitted(&breaker, 1), Some((1, 1, "first")));
        assert!(breaker.admits(|_| Some(1)) && !breaker.admits(|_| Some(2)) && !breaker.admits(|_| None));
        // Probes are already running.
        assert_eq!(breaker.trip(1, 0), (true, false));
        breaker.close("second", BTreeSet::from([2]));
        assert_eq!((admitted(&breaker, 0), admitted(&breaker, 2)), (Some((2, 0, "second")), None));
        assert_eq!(breaker.trip(2, 1), (true, false));
        assert!(breaker.admit(|_| None).is_none(), "a slot without a node");
        breaker.close("third", BTreeSet::new());
        assert!(breaker.key_moved(3) && !breaker.key_moved(3) && !breaker.key_moved(2));
        assert_eq!(admitted(&breaker, 0), Some((3, 0, "third")), "other keys go on");
    }
}
