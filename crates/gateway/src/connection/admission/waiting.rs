//! The order of requests that wait: tenants in turn, and of one tenant the sources in turn. Those of one source stay in their order.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

use secrets::ClientAddress;
use tenancy::TenantId;

use super::ticket::Ticket;

/// Whose turn a request takes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(in super::super) enum Line {
    /// Of the tenant whose paths name none.
    Default,
    Tenant(TenantId),
    /// Of all names that are of no tenant in memory. Anyone may make up names, and their turns would be more than those of all tenants.
    Unknown,
}

/// The requests that wait.
#[derive(Debug, Default)]
pub(super) struct Waiting(Ring<Line, Ring<ClientAddress, VecDeque<Ticket>>>);

/// Queues that give one request each in turn.
#[derive(Debug)]
struct Ring<K, Q> {
    queues: HashMap<K, Q>,
    /// Those that are not empty. The first has the next turn.
    order: VecDeque<K>,
    len: usize,
}

/// What requests wait in. A place says in which part.
trait Queue: Default {
    type Place;

    fn len(&self) -> usize;
    fn push(&mut self, place: Self::Place, ticket: Ticket);
    fn pop(&mut self) -> Option<Ticket>;
    /// Takes out the newest of the part in which most wait; of equal parts this one.
    fn pop_excess(&mut self, place: &Self::Place) -> Option<Ticket>;
}

impl Waiting {
    pub(super) fn len(&self) -> usize {
        self.0.len
    }

    /// The number of tenants of whom a request waits, when one of this tenant does.
    pub(super) fn tenants_with(&self, line: &Line) -> usize {
        self.0.queues.len() + usize::from(!self.0.queues.contains_key(line))
    }

    pub(super) fn push(&mut self, line: Line, source: ClientAddress, ticket: Ticket) {
        self.0.push((line, (source, ())), ticket);
    }

    /// The one whose turn it is.
    pub(super) fn pop(&mut self) -> Option<Ticket> {
        self.0.pop()
    }

    /// The newest of the source with most requests, of the tenant with most requests. Of equals it is the one that has just come.
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
