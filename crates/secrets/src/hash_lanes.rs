//! The order of password hashes: fair queuing by tenant, and then by source. Each source has one queue for
//! each tenant in each lane. Tenants take turns, and so do the sources of a tenant. A tenant waits for at
//! most one hash of each other tenant, and a source for at most one hash of each other source of its tenant.
//!
//! Sign-ins go before clients every other time; in between, the oldest turn is next. The last lane is served
//! only while the other lanes are empty.

mod order;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, VecDeque};

use tenancy::TenantId;
use tokio::sync::oneshot;
use values::Secret;

use self::order::{Order, QueuePlace, QueuedJob};
use crate::network_aggregation::NetworkAggregation;
use crate::password_hash::{OutOfMemory, PasswordSalt};
use crate::{CallerAddress, ForeignHash, SecretHash};

/// The maximum number of concurrent jobs of one source, over all tenants.
const COMPUTED: usize = 8;
/// The maximum number of waiting jobs of one source in one lane, over all tenants.
const LINE: usize = 256;
/// The maximum number of waiting jobs in one lane.
const LANE: usize = 4_096;
const LANES: usize = 3;

/// A secret to hash. It is zeroized when the hash is computed or the job is dropped.
#[derive(Debug)]
pub struct HashJob {
    pub secret: Secret,
    /// The salt of the stored hashes.
    pub salt: PasswordSalt,
    /// Jobs with equal keys are computed only once, so the key must identify all other inputs. `None` for a
    /// job that is never shared.
    pub key: Option<[u8; 32]>,
    /// A hash of another system that the secret must match first. Such jobs have their own thread and queue.
    pub only_if: Option<ForeignHash>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lane {
    /// Sign-ins of administrators.
    SignIn,
    Client,
    /// After all jobs of the other lanes.
    Last,
}

/// The queue or the lane is full, the wait was too long, or there is not enough memory (503).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many secrets are waiting to be checked")]
pub struct Busy;

/// The channel to a caller. `None` means that the secret does not match the job's foreign hash.
pub(crate) type Answer = oneshot::Sender<Result<Option<SecretHash>, OutOfMemory>>;

/// A job that has its turn. Call [`HashLanes::finish`] in any case.
pub(crate) struct Taken {
    pub(crate) job: HashJob,
    pub(crate) turn: Turn,
}

pub(crate) struct Turn {
    job: u64,
    place: QueuePlace,
    caller: CallerAddress,
}

#[derive(Default)]
pub(crate) struct HashLanes {
    jobs: HashMap<u64, Job>,
    keys: HashMap<[u8; 32], u64>,
    order: Order,
    networks: NetworkAggregation,
    sign_in_was_last: bool,
}

struct Job {
    /// `None` while the hash is being computed.
    work: Option<HashJob>,
    key: Option<[u8; 32]>,
    answers: Vec<Answer>,
    /// The queues that contain the job. Equal jobs of several sources share one entry, which is computed at
    /// the first turn of any of them.
    places: Vec<QueuePlace>,
}

impl HashLanes {
    /// Adds a job to the queue of its tenant and source, or joins an equal job.
    pub(crate) fn add(
        &mut self,
        tenant: &TenantId,
        job: HashJob,
        lane: Lane,
        caller: CallerAddress,
        answer: Answer,
    ) -> Result<(), Busy> {
        let place = QueuePlace { lane, tenant: tenant.clone(), source: self.networks.enter(caller) };
        let entered = self.enter(job, &place, answer);
        if let Ok(Some(job)) = entered {
            self.order.push(&place, QueuedJob { job, caller });
        } else {
            self.networks.leave(caller);
        }
        entered.map(drop)
    }

    /// Returns the number of the job if it needs a place in the queue.
    fn enter(&mut self, job: HashJob, place: &QueuePlace, answer: Answer) -> Result<Option<u64>, Busy> {
        let equal = job.key.and_then(|key| self.keys.get(&key).copied());
        if let Some(equal) = equal.and_then(|number| self.jobs.get_mut(&number))
            && (equal.work.is_none() || equal.places.contains(place))
        {
            equal.answers.push(answer);
            return Ok(None);
        }
        self.make_room(place)?;
        // Making room may have dropped the equal job.
        let number = match equal.filter(|number| self.jobs.contains_key(number)) {
            Some(number) => number,
            None => self.new_job(job),
        };
        if let Some(job) = self.jobs.get_mut(&number) {
            job.answers.push(answer);
            job.places.push(place.clone());
        }
        Ok(Some(number))
    }

    /// Takes the next job that may be computed now.
    pub(crate) fn next(&mut self) -> Option<Taken> {
        loop {
            let place = self.pick()?;
            let entry = self.order.take(&place, VecDeque::pop_front)?;
            if !self.is_wanted(entry.job) {
                self.give_up(&place, &entry);
                continue;
            }
            let Some(job) = self.jobs.get_mut(&entry.job).and_then(|job| {
                job.places.retain(|waits| *waits != place);
                job.work.take()
            }) else {
                self.networks.leave(entry.caller);
                continue;
            };
            self.sign_in_was_last = place.lane == Lane::SignIn;
            self.order.begin(&place);
            return Some(Taken { job, turn: Turn { job: entry.job, place, caller: entry.caller } });
        }
    }

    /// Ends a turn and returns the channels to the callers.
    pub(crate) fn finish(&mut self, turn: &Turn) -> Vec<Answer> {
        self.networks.leave(turn.caller);
        self.order.end(&turn.place);
        self.remove_job(turn.job).map_or_else(Vec::new, |job| job.answers)
    }

    #[cfg(any(test, feature = "manual-hash-pool"))]
    pub(crate) fn callers(&self) -> usize {
        self.jobs.values().flat_map(|job| &job.answers).filter(|answer| !answer.is_closed()).count()
    }

    /// Picks a sign-in every other time, and otherwise the oldest turn. Picks from the last lane only if the
    /// others are empty.
    fn pick(&self) -> Option<QueuePlace> {
        let place = match (self.order.first(Lane::SignIn), self.order.first(Lane::Client)) {
            (Some(sign_in), Some(client)) if self.sign_in_was_last && client.0 <= sign_in.0 => client.1,
            (Some((_, place)), _) | (None, Some((_, place))) => place,
            (None, None) => self.order.first(Lane::Last)?.1,
        };
        Some(place)
    }

    /// Makes room for a new job. First drops abandoned jobs at the head of a full queue. If a source has too
    /// many jobs, its longest queue loses the newest job; if the lane is full, the tenant with the most jobs
    /// does. If that would be the queue or tenant of the new job, the new job is refused.
    fn make_room(&mut self, place: &QueuePlace) -> Result<(), Busy> {
        if self.order.lengths_at(place).2 >= LINE {
            while self.order.head(place).is_some_and(|head| !self.is_wanted(head.job)) {
                self.drop_entry(place, VecDeque::pop_front);
            }
        }
        let (own, of_tenant, of_source) = self.order.lengths_at(place);
        if of_source >= LINE {
            let longest = self.order.longest_of_source(place.lane, place.source);
            self.drop_newest(longest, own)?;
        }
        if self.order.lengths[place.lane as usize] >= LANE {
            let (most, tenant) = self.order.longest_tenant(place.lane).ok_or(Busy)?;
            let (tenant, own) = if most > of_tenant { (&tenant, 0) } else { (&place.tenant, own) };
            let longest = self.order.longest_of_tenant(place.lane, tenant);
            self.drop_newest(longest, own)?;
        }
        Ok(())
    }

    /// Drops the newest job of the longest queue, if it is longer than that of the new job.
    fn drop_newest(&mut self, longest: Option<(usize, QueuePlace)>, own: usize) -> Result<(), Busy> {
        let (_, place) = longest.filter(|(length, _)| *length > own).ok_or(Busy)?;
        self.drop_entry(&place, VecDeque::pop_back);
        Ok(())
    }

    fn drop_entry(
        &mut self,
        place: &QueuePlace,
        take: impl FnOnce(&mut VecDeque<QueuedJob>) -> Option<QueuedJob>,
    ) {
        if let Some(entry) = self.order.take(place, take) {
            self.give_up(place, &entry);
        }
    }

    /// Whether the job is waiting and still has a caller.
    fn is_wanted(&self, job: u64) -> bool {
        let job = self.jobs.get(&job);
        job.is_some_and(|job| job.work.is_some() && !job.answers.iter().all(oneshot::Sender::is_closed))
    }

    /// Handles an entry that leaves its queue without a turn. Callers that are in no other queue get
    /// [`Busy`].
    fn give_up(&mut self, place: &QueuePlace, entry: &QueuedJob) {
        self.networks.leave(entry.caller);
        let is_wanted = self.is_wanted(entry.job);
        let Some(job) = self.jobs.get_mut(&entry.job).filter(|job| job.work.is_some()) else { return };
        job.places.retain(|waits| waits != place);
        if !is_wanted || job.places.is_empty() {
            self.remove_job(entry.job);
        }
    }

    fn new_job(&mut self, job: HashJob) -> u64 {
        let number = self.order.number();
        let key = job.key;
        if let Some(key) = key {
            self.keys.insert(key, number);
        }
        self.jobs.insert(number, Job { work: Some(job), key, answers: Vec::new(), places: Vec::new() });
        number
    }

    fn remove_job(&mut self, number: u64) -> Option<Job> {
        let job = self.jobs.remove(&number)?;
        if let Some(key) = job.key {
            self.keys.remove(&key);
        }
        Some(job)
    }
}
