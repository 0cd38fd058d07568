//! The order of waiting requests: tenants take turns, and within a tenant its sources take turns.
//! Requests of one source keep their order.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::hash::Hash;

use secrets::CallerAddress;
use tenancy::TenantId;

use super::ticket::Ticket;

/// Each tenant has a line of its own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in super::super) enum WaitingLine {
    /// For the paths without a tenant.
    Default,
    Tenant(TenantId),
    /// For all names that are not a tenant in memory. Callers can invent names; with a line for
    /// each name they would get more turns than the tenants.
    Unknown,
}

/// The line of a request and its source.
pub(super) type Place = (WaitingLine, (CallerAddress, ()));

#[derive(Debug, Default)]
pub(super) struct WaitingRequests(TurnRing<WaitingLine, TurnRing<CallerAddress, VecDeque<Ticket>>>);

/// Queues that take turns, one request at a time. Every operation takes at most logarithmic time,
/// because during overload there may be many sources with one request each.
#[derive(Debug)]
struct TurnRing<K, Q> {
    /// Nonempty queues with the number of their next turn.
    queues: HashMap<K, (u64, Q)>,
    turns: BTreeMap<u64, K>,
    lengths: BTreeSet<(usize, K)>,
    next_turn: u64,
    len: usize,
}

/// A collection of requests with nested parts.
trait RequestQueue: Default {
    type Place;

    fn len(&self) -> usize;
    fn push(&mut self, place: Self::Place, ticket: Ticket);
    /// Removes and returns the first request whose connection still exists, and drops the requests
    /// before it. A queue without such a request does not use up its turn.
    fn pop(&mut self, can_run: &mut dyn FnMut(&Ticket) -> bool) -> Option<Ticket>;
    /// Whether a new request at this place would be the newest of the longest part.
    fn has_longest(&self, place: &Self::Place) -> bool;
    /// Removes and returns the newest request of the longest part. If several parts are longest,
    /// the part at `place` is chosen.
    fn pop_excess(&mut self, place: &Self::Place) -> Option<Ticket>;
}

impl WaitingRequests {
    pub(super) fn len(&self) -> usize {
        self.0.len
    }

    /// The number of tenants with waiting requests if this tenant adds one.
    pub(super) fn tenants_with(&self, line: &WaitingLine) -> usize {
        self.0.queues.len() + usize::from(!self.0.queues.contains_key(line))
    }

    pub(super) fn push(&mut self, place: Place, ticket: Ticket) {
        self.0.push(place, ticket);
    }

    /// Removes and returns the next request whose connection still exists.
    pub(super) fn pop(&mut self, mut can_run: impl FnMut(&Ticket) -> bool) -> Option<Ticket> {
        self.0.pop(&mut can_run)
    }

    /// Whether a new request at this place would be the newest of the tenant and source with the
    /// most requests.
    pub(super) fn has_longest(&self, place: &Place) -> bool {
        self.0.has_longest(place)
    }

    /// Removes and returns the newest request of the tenant and source with the most requests.
    pub(super) fn pop_excess(&mut self, place: &Place) -> Option<Ticket> {
        self.0.pop_excess(place)
    }
}

impl RequestQueue for VecDeque<Ticket> {
    type Place = ();

    fn len(&self) -> usize {
        Self::len(self)
    }

    fn push(&mut self, (): (), ticket: Ticket) {
        self.push_back(ticket);
    }

    fn pop(&mut self, can_run: &mut dyn FnMut(&Ticket) -> bool) -> Option<Ticket> {
        std::iter::from_fn(|| self.pop_front()).find(|ticket| can_run(ticket))
    }

    fn has_longest(&self, (): &()) -> bool {
        true
    }

    fn pop_excess(&mut self, (): &()) -> Option<Ticket> {
        self.pop_back()
    }
}

impl<K, Q> Default for TurnRing<K, Q> {
    fn default() -> Self {
        let (queues, turns, lengths) = (HashMap::new(), BTreeMap::new(), BTreeSet::new());
        Self { queues, turns, lengths, next_turn: 0, len: 0 }
    }
}

impl<K: Clone + Ord + Hash, Q: RequestQueue> TurnRing<K, Q> {
    fn remove(&mut self, key: &K) -> Option<(u64, Q)> {
        let (turn, queue) = self.queues.remove(key)?;
        self.turns.remove(&turn);
        self.lengths.remove(&(queue.len(), key.clone()));
        self.len -= queue.len();
        Some((turn, queue))
    }

    /// Puts a queue back. `turn` is its previous turn; `None` puts it last. Drops an empty queue.
    fn insert(&mut self, key: K, turn: Option<u64>, queue: Q) {
        if queue.len() == 0 {
            return;
        }
        let turn = turn.unwrap_or_else(|| {
            self.next_turn += 1;
            self.next_turn
        });
        self.turns.insert(turn, key.clone());
        self.lengths.insert((queue.len(), key.clone()));
        self.len += queue.len();
        self.queues.insert(key, (turn, queue));
    }
}

impl<K: Clone + Ord + Hash, Q: RequestQueue> RequestQueue for TurnRing<K, Q> {
    type Place = (K, Q::Place);

    fn len(&self) -> usize {
        self.len
    }

    fn push(&mut self, (key, place): Self::Place, ticket: Ticket) {
        let (turn, mut queue) =
            self.remove(&key).map_or((None, Q::default()), |(turn, queue)| (Some(turn), queue));
        queue.push(place, ticket);
        self.insert(key, turn, queue);
    }

    fn pop(&mut self, can_run: &mut dyn FnMut(&Ticket) -> bool) -> Option<Ticket> {
        loop {
            let key = self.turns.first_key_value()?.1.clone();
            let (_, mut queue) = self.remove(&key)?;
            let ticket = queue.pop(can_run);
            self.insert(key, None, queue);
            // A queue that returned no request is empty, and was dropped.
            if ticket.is_some() {
                return ticket;
            }
        }
    }

    fn has_longest(&self, (key, place): &Self::Place) -> bool {
        let own = self.queues.get(key).map(|(_, own)| own);
        let longest = self.lengths.last().map_or(0, |(length, _)| *length);
        own.map_or(0, RequestQueue::len) + 1 >= longest && own.is_none_or(|own| own.has_longest(place))
    }

    fn pop_excess(&mut self, (of, place): &Self::Place) -> Option<Ticket> {
        let (longest, key) = self.lengths.last()?;
        let is_own = self.queues.get(of).is_some_and(|(_, own)| own.len() == *longest);
        let key = if is_own { of.clone() } else { key.clone() };
        let (turn, mut queue) = self.remove(&key)?;
        let ticket = queue.pop_excess(place);
        self.insert(key, Some(turn), queue);
        ticket
    }
}
