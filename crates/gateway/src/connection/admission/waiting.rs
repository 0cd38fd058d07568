//! The order of waiting requests: tenants take turns, and the sources of one tenant take turns. The requests
//! of one source keep their order.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::hash::Hash;

use secrets::ClientAddress;
use tenancy::TenantId;

use super::ticket::Ticket;

/// The line that a request waits in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in super::super) enum WaitingLine {
    /// The line of the tenant whose paths contain no id.
    Default,
    Tenant(TenantId),
    /// The line of all names without a tenant in memory. Any caller can invent names, and a line for each
    /// would get more turns than all tenants.
    Unknown,
}

/// Where a request waits: its line and its source.
pub(super) type Place = (WaitingLine, (ClientAddress, ()));

/// The requests that wait.
#[derive(Debug, Default)]
pub(super) struct WaitingRequests(TurnRing<WaitingLine, TurnRing<ClientAddress, VecDeque<Ticket>>>);

/// Queues that take turns, one request each. No operation takes longer than the logarithm of their number: in
/// an overload each of many sources may have a request.
#[derive(Debug)]
struct TurnRing<K, Q> {
    /// The queues that are not empty, each with the number of its next turn.
    queues: HashMap<K, (u64, Q)>,
    turns: BTreeMap<u64, K>,
    lengths: BTreeSet<(usize, K)>,
    next_turn: u64,
    len: usize,
}

/// A collection of waiting requests. A place names its part.
trait RequestQueue: Default {
    type Place;

    fn len(&self) -> usize;
    fn push(&mut self, place: Self::Place, ticket: Ticket);
    /// Takes out the first request that can still run, and the requests before it. A queue without such a
    /// request uses up no turn.
    fn pop(&mut self, can_run: &mut dyn FnMut(&Ticket) -> bool) -> Option<Ticket>;
    /// Whether one more request at this place would be the newest of the longest part.
    fn has_longest(&self, place: &Self::Place) -> bool;
    /// Takes out the newest request of the longest part. Of parts with equal length it is this one.
    fn pop_excess(&mut self, place: &Self::Place) -> Option<Ticket>;
}

impl WaitingRequests {
    pub(super) fn len(&self) -> usize {
        self.0.len
    }

    /// The number of tenants with a waiting request, including one of this tenant.
    pub(super) fn tenants_with(&self, line: &WaitingLine) -> usize {
        self.0.queues.len() + usize::from(!self.0.queues.contains_key(line))
    }

    pub(super) fn push(&mut self, place: Place, ticket: Ticket) {
        self.0.push(place, ticket);
    }

    /// The request that has the next turn, of those that can still run.
    pub(super) fn pop(&mut self, mut can_run: impl FnMut(&Ticket) -> bool) -> Option<Ticket> {
        self.0.pop(&mut can_run)
    }

    /// Whether one more request of this tenant and source would be the newest of the tenant and source with
    /// most.
    pub(super) fn has_longest(&self, place: &Place) -> bool {
        self.0.has_longest(place)
    }

    /// Takes out the newest request of the tenant with most requests, and of its source with most requests.
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
    /// Takes a queue out.
    fn remove(&mut self, key: &K) -> Option<(u64, Q)> {
        let (turn, queue) = self.queues.remove(key)?;
        self.turns.remove(&turn);
        self.lengths.remove(&(queue.len(), key.clone()));
        self.len -= queue.len();
        Some((turn, queue))
    }

    /// Puts a queue back, for this turn or the last one. An empty one is dropped.
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
            // A queue that gives none is empty, and was dropped.
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
