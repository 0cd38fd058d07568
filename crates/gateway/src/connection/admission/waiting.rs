//! The order of waiting requests: tenants take turns, and the sources of one tenant take turns. The requests
//! of one source keep their order.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

use secrets::ClientAddress;
use tenancy::TenantId;

use super::ticket::Ticket;

/// The line that a request waits in.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(in super::super) enum Line {
    /// The line of the tenant whose paths contain no id.
    Default,
    Tenant(TenantId),
    /// The line of all names without a tenant in memory. Any caller can invent names, and a line for each
    /// would get more turns than all tenants.
    Unknown,
}

/// The requests that wait.
#[derive(Debug, Default)]
pub(super) struct Waiting(Ring<Line, Ring<ClientAddress, VecDeque<Ticket>>>);

/// Queues that take turns, one request each.
#[derive(Debug)]
struct Ring<K, Q> {
    queues: HashMap<K, Q>,
    /// The queues that are not empty. The first has the next turn.
    order: VecDeque<K>,
    len: usize,
}

/// A collection of waiting requests. A place names its part.
trait Queue: Default {
    type Place;

    fn len(&self) -> usize;
    fn push(&mut self, place: Self::Place, ticket: Ticket);
    fn pop(&mut self) -> Option<Ticket>;
    /// Takes out the newest request of the longest part. Of parts with equal length it is this one.
    fn pop_excess(&mut self, place: &Self::Place) -> Option<Ticket>;
}

impl Waiting {
    pub(super) fn len(&self) -> usize {
        self.0.len
    }

    /// The number of tenants with a waiting request, including one of this tenant.
    pub(super) fn tenants_with(&self, line: &Line) -> usize {
        self.0.queues.len() + usize::from(!self.0.queues.contains_key(line))
    }

    pub(super) fn push(&mut self, line: Line, source: ClientAddress, ticket: Ticket) {
        self.0.push((line, (source, ())), ticket);
    }

    /// The request that has the next turn.
    pub(super) fn pop(&mut self) -> Option<Ticket> {
        self.0.pop()
    }

    /// The newest request of the tenant with most requests, and of its source with most requests. Of equals
    /// it is the one that has just arrived.
    pub(super) fn pop_excess(&mut self, line: &Line, source: ClientAddress) -> Option<Ticket> {
        self.0.pop_excess(&(line.clone(), (source, ())))
    }
}

impl Queue for VecDeque<Ticket> {
    type Place = ();

    fn len(&self) -> usize {
        Self::len(self)
    }

    fn push(&mut self, (): (), ticket: Ticket) {
        self.push_back(ticket);
    }

    fn pop(&mut self) -> Option<Ticket> {
        self.pop_front()
    }

    fn pop_excess(&mut self, (): &()) -> Option<Ticket> {
        self.pop_back()
    }
}

impl<K, Q> Default for Ring<K, Q> {
    fn default() -> Self {
        Self { queues: HashMap::new(), order: VecDeque::new(), len: 0 }
    }
}

impl<K: Clone + Eq + Hash, Q: Queue> Queue for Ring<K, Q> {
    type Place = (K, Q::Place);

    fn len(&self) -> usize {
        self.len
    }

    fn push(&mut self, (key, place): Self::Place, ticket: Ticket) {
        if !self.queues.contains_key(&key) {
            self.order.push_back(key.clone());
        }
        self.queues.entry(key).or_default().push(place, ticket);
        self.len += 1;
    }

    fn pop(&mut self) -> Option<Ticket> {
        let key = self.order.pop_front()?;
        let queue = self.queues.get_mut(&key)?;
        let ticket = queue.pop();
        self.len -= 1;
        if queue.len() == 0 {
            self.queues.remove(&key);
        } else {
            self.order.push_back(key);
        }
        ticket
    }

    fn pop_excess(&mut self, (of, place): &Self::Place) -> Option<Ticket> {
        let length = |key: &K| (self.queues.get(key).map_or(0, Queue::len), key == of);
        let key = self.order.iter().max_by_key(|key| length(key))?.clone();
        let queue = self.queues.get_mut(&key)?;
        let ticket = queue.pop_excess(place);
        self.len -= 1;
        if queue.len() == 0 {
            self.queues.remove(&key);
            self.order.retain(|other| *other != key);
        }
        ticket
    }
}
