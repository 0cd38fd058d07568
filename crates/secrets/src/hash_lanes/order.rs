//! Which tenant and source is next? Waiting tenants take turns, and the sources of a tenant take turns with
//! each other.
//!
//! A source that has just had a turn at one tenant is late at the others, too, so it cannot take a turn of
//! each tenant. Every fourth turn of a tenant goes to its oldest source nevertheless, so that people behind a
//! shared address wait, but not for ever.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use tenancy::TenantId;

use super::{COMPUTED, LANES, Lane};
use crate::ClientAddress;

/// One in this number of a tenant's turns goes to its oldest source.
const OLDEST_EVERY: u64 = 4;

/// A queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct QueuePlace {
    pub(super) lane: Lane,
    pub(super) tenant: TenantId,
    pub(super) source: ClientAddress,
}

/// A job in a queue, with its source before aggregation.
pub(super) struct QueuedJob {
    pub(super) job: u64,
    pub(super) caller: ClientAddress,
}

/// The rank of a place in the order: the later of the last turns of its tenant and its source, then the turn
/// of its queue.
type Rank = (u64, u64);

#[derive(Default)]
pub(super) struct Order {
    tenants: HashMap<TenantId, OfTenant>,
    pub(super) sources: HashMap<ClientAddress, OfSource>,
    waiting: Waiting<TenantId>,
    /// All entries of each lane.
    pub(super) lengths: [usize; LANES],
    last_number: u64,
}

/// A tenant with entries.
struct OfTenant {
    turn: u64,
    turns_taken: u64,
    lengths: [usize; LANES],
    queues: HashMap<ClientAddress, Queues>,
    waiting: Waiting<ClientAddress>,
}

/// A source with entries of a tenant.
struct Queues {
    turn: u64,
    lines: [VecDeque<QueuedJob>; LANES],
}

/// A source, over all tenants.
#[derive(Default)]
pub(super) struct OfSource {
    computed: usize,
    last_turn: u64,
    lengths: [usize; LANES],
    by_length: [BTreeSet<(usize, TenantId)>; LANES],
}

/// The waiting ones in each lane, in the order of their turns, and by length. The longest is last.
struct Waiting<K> {
    turns: [BTreeMap<u64, K>; LANES],
    by_length: [BTreeSet<(usize, K)>; LANES],
}

impl<K> Default for Waiting<K> {
    fn default() -> Self {
        Self { turns: Default::default(), by_length: Default::default() }
    }
}

impl<K: Ord + Clone> Waiting<K> {
    fn resized(&mut self, lane: usize, key: &K, turn: u64, from: usize, to: usize) {
        resized(&mut self.by_length[lane], key, from, to);
        if from == 0 {
            self.turns[lane].insert(turn, key.clone());
        } else if to == 0 {
            self.turns[lane].remove(&turn);
        }
    }

    fn moved(&mut self, from: u64, to: u64) {
        for turns in &mut self.turns {
            if let Some(key) = turns.remove(&from) {
                turns.insert(to, key);
            }
        }
    }

    fn longest(&self, lane: Lane) -> Option<&(usize, K)> {
        self.by_length[lane as usize].last()
    }
}

fn resized<K: Ord + Clone>(by_length: &mut BTreeSet<(usize, K)>, key: &K, from: usize, to: usize) {
    by_length.remove(&(from, key.clone()));
    if to > 0 {
        by_length.insert((to, key.clone()));
    }
}

impl OfTenant {
    /// The next source that may have a turn, with the rank of its best place.
    fn first(&self, lane: Lane, sources: &HashMap<ClientAddress, OfSource>) -> Option<(Rank, ClientAddress)> {
        let mut best: Option<(Rank, ClientAddress)> = None;
        let mut oldest = None;
        for (turn, source) in &self.waiting.turns[lane as usize] {
            let Some(of_source) = sources.get(source).filter(|of| of.computed < COMPUTED) else { continue };
            oldest = oldest.or(Some(*source));
            let rank = (self.turn.max(of_source.last_turn), *turn);
            if best.is_none_or(|(least, _)| rank < least) {
                best = Some((rank, *source));
            }
            if of_source.last_turn <= self.turn {
                break;
            }
        }
        let (rank, source) = best?;
        let is_turn_of_oldest = self.turns_taken % OLDEST_EVERY == OLDEST_EVERY - 1;
        Some((rank, oldest.filter(|_| is_turn_of_oldest).unwrap_or(source)))
    }
}

impl Order {
    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        let turns = self.waiting.turns.iter().all(BTreeMap::is_empty);
        let lengths = self.waiting.by_length.iter().all(BTreeSet::is_empty) && self.lengths == [0; LANES];
        turns && lengths && self.tenants.is_empty() && self.sources.is_empty()
    }

    /// A number that is greater than all previous ones.
    pub(super) fn number(&mut self) -> u64 {
        self.last_number += 1;
        self.last_number
    }

    /// The next place in this lane among those whose sources may have a turn.
    pub(super) fn first(&self, lane: Lane) -> Option<(Rank, QueuePlace)> {
        let mut best: Option<(Rank, ClientAddress, &TenantId)> = None;
        for (turn, tenant) in &self.waiting.turns[lane as usize] {
            // No rank of a tenant is before its turn.
            if best.is_some_and(|(rank, ..)| rank.0 < *turn) {
                break;
            }
            let of_tenant = self.tenants.get(tenant).and_then(|of| of.first(lane, &self.sources));
            if let Some((rank, source)) = of_tenant
                && best.is_none_or(|(least, ..)| rank < least)
            {
                best = Some((rank, source, tenant));
            }
        }
        let (rank, source, tenant) = best?;
        Some((rank, QueuePlace { lane, tenant: tenant.clone(), source }))
    }

    /// Notes that a job of this place is computed from now on.
    pub(super) fn begin(&mut self, place: &QueuePlace) {
        let number = self.number();
        let of_source = self.sources.entry(place.source).or_default();
        (of_source.computed, of_source.last_turn) = (of_source.computed + 1, number);
        let Some(of_tenant) = self.tenants.get_mut(&place.tenant) else { return };
        self.waiting.moved(of_tenant.turn, number);
        (of_tenant.turn, of_tenant.turns_taken) = (number, of_tenant.turns_taken + 1);
        let Some(queues) = of_tenant.queues.get_mut(&place.source) else { return };
        of_tenant.waiting.moved(queues.turn, number);
        queues.turn = number;
    }

    /// Notes that the computation ended.
    pub(super) fn end(&mut self, place: &QueuePlace) {
        if let Some(of_source) = self.sources.get_mut(&place.source) {
            of_source.computed -= 1;
        }
        self.forget_idle(place);
    }

    pub(super) fn push(&mut self, place: &QueuePlace, entry: QueuedJob) {
        let number = self.number();
        let new = || OfTenant {
            turn: number,
            turns_taken: 0,
            lengths: [0; LANES],
            queues: HashMap::new(),
            waiting: Waiting::default(),
        };
        let of_tenant = self.tenants.entry(place.tenant.clone()).or_insert_with(new);
        let new = || Queues { turn: number, lines: Default::default() };
        let line = &mut of_tenant.queues.entry(place.source).or_insert_with(new).lines[place.lane as usize];
        line.push_back(entry);
        let length = line.len();
        self.resized(place, length - 1, length);
    }

    pub(super) fn take(
        &mut self,
        place: &QueuePlace,
        take: impl FnOnce(&mut VecDeque<QueuedJob>) -> Option<QueuedJob>,
    ) -> Option<QueuedJob> {
        let queues = self.tenants.get_mut(&place.tenant)?.queues.get_mut(&place.source)?;
        let line = &mut queues.lines[place.lane as usize];
        let entry = take(line)?;
        let length = line.len();
        self.resized(place, length + 1, length);
        self.forget_idle(place);
        Some(entry)
    }

    pub(super) fn head(&self, place: &QueuePlace) -> Option<&QueuedJob> {
        let queues = self.tenants.get(&place.tenant)?.queues.get(&place.source)?;
        queues.lines[place.lane as usize].front()
    }

    /// The lengths of this queue, of its tenant in the lane, and of its source in the lane over all tenants.
    pub(super) fn lengths_at(&self, place: &QueuePlace) -> (usize, usize, usize) {
        let lane = place.lane as usize;
        let of_tenant = self.tenants.get(&place.tenant);
        let queue =
            of_tenant.and_then(|of| of.queues.get(&place.source)).map_or(0, |of| of.lines[lane].len());
        let of_source = self.sources.get(&place.source).map_or(0, |of| of.lengths[lane]);
        (queue, of_tenant.map_or(0, |of| of.lengths[lane]), of_source)
    }

    /// The tenant with the most entries in this lane, and how many.
    pub(super) fn longest_tenant(&self, lane: Lane) -> Option<(usize, TenantId)> {
        self.waiting.longest(lane).cloned()
    }

    /// The longest queue of this tenant in this lane.
    pub(super) fn longest_of_tenant(&self, lane: Lane, tenant: &TenantId) -> Option<(usize, QueuePlace)> {
        let (length, source) = *self.tenants.get(tenant)?.waiting.longest(lane)?;
        Some((length, QueuePlace { lane, tenant: tenant.clone(), source }))
    }

    /// The longest queue of this source in this lane, over all tenants.
    pub(super) fn longest_of_source(&self, lane: Lane, source: ClientAddress) -> Option<(usize, QueuePlace)> {
        let (length, tenant) = self.sources.get(&source)?.by_length[lane as usize].last()?.clone();
        Some((length, QueuePlace { lane, tenant, source }))
    }

    fn resized(&mut self, QueuePlace { lane, tenant, source }: &QueuePlace, from: usize, to: usize) {
        let lane = *lane as usize;
        self.lengths[lane] = self.lengths[lane] + to - from;
        let of_source = self.sources.entry(*source).or_default();
        of_source.lengths[lane] = of_source.lengths[lane] + to - from;
        resized(&mut of_source.by_length[lane], tenant, from, to);
        let Some(of_tenant) = self.tenants.get_mut(tenant) else { return };
        let before = of_tenant.lengths[lane];
        let after = before + to - from;
        of_tenant.lengths[lane] = after;
        self.waiting.resized(lane, tenant, of_tenant.turn, before, after);
        if let Some(queues) = of_tenant.queues.get(source) {
            of_tenant.waiting.resized(lane, source, queues.turn, from, to);
        }
    }

    fn forget_idle(&mut self, QueuePlace { tenant, source, .. }: &QueuePlace) {
        if self.sources.get(source).is_some_and(|of| of.computed == 0 && of.lengths == [0; LANES]) {
            self.sources.remove(source);
        }
        let Some(of_tenant) = self.tenants.get_mut(tenant) else { return };
        if of_tenant.queues.get(source).is_some_and(|of| of.lines.iter().all(VecDeque::is_empty)) {
            of_tenant.queues.remove(source);
        }
        if of_tenant.queues.is_empty() {
            self.tenants.remove(tenant);
        }
    }
}
