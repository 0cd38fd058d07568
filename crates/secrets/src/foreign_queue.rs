//! The order of checks of imported hashes: start-time fair queuing by measured cost. Each tenant has a
//! virtual time that advances by the duration of its checks, and the tenant with the earliest time is next.
//! The sources of a tenant are ordered in the same way. So each tenant gets the same computing time, and not
//! the same number of checks.
//!
//! A source that has used much time at one tenant is late at all tenants, so it cannot use the turns of many
//! tenants. But every fourth turn of a tenant goes to its oldest check, so that people behind a shared
//! address do not wait forever.

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::hash::Hash;
use std::time::Duration;

use tenancy::TenantId;

use crate::CallerAddress;
use crate::hash_lanes::{Answer, Busy, HashJob};
use crate::network_aggregation::NetworkAggregation;

/// The maximum number of waiting checks of one source, over all tenants.
const OF_SOURCE: usize = 32;
/// The maximum number of waiting checks of one tenant.
const OF_TENANT: usize = 256;
/// The maximum number of waiting checks.
const ALL: usize = 1_024;
/// Above this number of tenants and sources, those without used time are dropped.
const REMEMBERED: usize = 8_192;
/// One in this many turns of a tenant goes to its oldest check.
const OLDEST_EVERY: u64 = 4;

/// A check that waits or has its turn. End a turn with [`ForeignQueue::finish`].
pub(crate) struct ForeignCheck {
    pub(crate) job: HashJob,
    pub(crate) answer: Answer,
    tenant: TenantId,
    source: CallerAddress,
    caller: CallerAddress,
}

/// The tenant and source whose time advances when the check ends.
pub(crate) struct CheckTurn {
    tenant: TenantId,
    source: CallerAddress,
}

#[derive(Default)]
pub(crate) struct ForeignQueue {
    /// In the order of their arrival.
    waiting: Vec<ForeignCheck>,
    /// The tenants and sources that had turns since the queue was last empty.
    tenants: HashMap<TenantId, Reached>,
    sources: HashMap<CallerAddress, Reached>,
    /// The virtual time of the last check that started.
    clock: Duration,
    networks: NetworkAggregation,
}

#[derive(Clone, Copy, Default)]
struct Reached {
    time: Duration,
    turns: u64,
}

impl ForeignQueue {
    pub(crate) fn add(
        &mut self,
        tenant: &TenantId,
        job: HashJob,
        caller: CallerAddress,
        answer: Answer,
    ) -> Result<(), Busy> {
        let source = self.networks.enter(caller);
        let made = self.make_room(tenant, source);
        if made.is_ok() {
            self.waiting.push(ForeignCheck { job, answer, tenant: tenant.clone(), source, caller });
        } else {
            self.networks.leave(caller);
        }
        made
    }

    pub(crate) fn next(&mut self) -> Option<(ForeignCheck, CheckTurn)> {
        self.drop_abandoned();
        let (at, time) = self.pick()?;
        self.clock = self.clock.max(time);
        let check = self.remove(at);
        let turn = CheckTurn { tenant: check.tenant.clone(), source: check.source };
        Some((check, turn))
    }

    /// Ends a turn that took this long.
    pub(crate) fn finish(&mut self, turn: CheckTurn, took: Duration) {
        let CheckTurn { tenant, source } = turn;
        let clock = self.clock;
        let goes_on = |reached: &mut Reached| {
            reached.time = reached.time.max(clock) + took;
            reached.turns += 1;
        };
        goes_on(self.tenants.entry(tenant).or_default());
        goes_on(self.sources.entry(source).or_default());
        if self.waiting.is_empty() {
            // No check is waiting, so all times can start from zero.
            self.tenants.clear();
            self.sources.clear();
        } else if self.tenants.len() + self.sources.len() > REMEMBERED {
            self.tenants.retain(|_, of| of.time > clock);
            self.sources.retain(|_, of| of.time > clock);
        }
    }

    #[cfg(any(test, feature = "manual-hash-pool"))]
    pub(crate) fn callers(&self) -> usize {
        self.waiting.iter().filter(|check| !check.answer.is_closed()).count()
    }

    fn pick(&self) -> Option<(usize, Duration)> {
        let tenant = |check: &ForeignCheck| self.tenants.get(&check.tenant).copied().unwrap_or_default();
        let time = |check: &ForeignCheck| {
            let of_source = self.sources.get(&check.source).copied().unwrap_or_default();
            (tenant(check).time.max(of_source.time).max(self.clock), of_source.time)
        };
        let (at, check) = self.waiting.iter().enumerate().min_by_key(|(_, check)| time(check))?;
        let is_turn_of_oldest = tenant(check).turns % OLDEST_EVERY == OLDEST_EVERY - 1;
        let oldest = || self.waiting.iter().position(|other| other.tenant == check.tenant);
        let picked = if is_turn_of_oldest { oldest().unwrap_or(at) } else { at };
        Some((picked, time(check).0))
    }

    /// Makes room for a new check. A source with too many checks loses its newest check at the tenant where
    /// it has the most. A tenant with too many loses the newest check of the source with the most. A full
    /// queue loses the newest check of the tenant with the most. If that would be the new check itself, it is
    /// refused.
    fn make_room(&mut self, tenant: &TenantId, source: CallerAddress) -> Result<(), Busy> {
        let count = |queue: &Self, counts: fn(&ForeignCheck, &TenantId, CallerAddress) -> bool| {
            queue.waiting.iter().filter(|check| counts(check, tenant, source)).count()
        };
        let is_full = |queue: &Self| {
            (
                count(queue, |check, _, source| check.source == source) >= OF_SOURCE,
                count(queue, |check, tenant, _| check.tenant == *tenant) >= OF_TENANT,
                queue.waiting.len() >= ALL,
            )
        };
        if is_full(self) != (false, false, false) {
            self.drop_abandoned();
        }
        if is_full(self).0 {
            self.drop_newest_of_most(|check| (check.source == source).then(|| check.tenant.clone()), tenant)?;
        }
        if is_full(self).1 {
            self.drop_newest_of_most(|check| (check.tenant == *tenant).then_some(check.source), &source)?;
        }
        if is_full(self).2 {
            let of_tenants = self.drop_newest_of_most(|check| Some(check.tenant.clone()), tenant);
            let within = |check: &ForeignCheck| (check.tenant == *tenant).then_some(check.source);
            of_tenants.or_else(|Busy| self.drop_newest_of_most(within, &source))?;
        }
        Ok(())
    }

    fn drop_newest_of_most<K: Eq + Hash>(
        &mut self,
        key: impl Fn(&ForeignCheck) -> Option<K>,
        own: &K,
    ) -> Result<(), Busy> {
        let mut counts: HashMap<K, (usize, usize)> = HashMap::new();
        for (at, of) in self.waiting.iter().enumerate().filter_map(|(at, check)| Some((at, key(check)?))) {
            let (count, newest) = counts.entry(of).or_default();
            (*count, *newest) = (*count + 1, at);
        }
        let own = counts.get(own).map_or(0, |(count, _)| *count);
        let (most, newest) = counts.into_values().max().ok_or(Busy)?;
        if most <= own {
            return Err(Busy);
        }
        self.remove(newest);
        Ok(())
    }

    fn drop_abandoned(&mut self) {
        let networks = &mut self.networks;
        self.waiting.retain(|check| {
            let is_wanted = !check.answer.is_closed();
            if !is_wanted {
                networks.leave(check.caller);
            }
            is_wanted
        });
    }

    fn remove(&mut self, at: usize) -> ForeignCheck {
        let check = self.waiting.remove(at);
        self.networks.leave(check.caller);
        check
    }
}
