//! The order of hashes: fair queuing by source. Each source has one queue in each lane, and the queues are served in turn, so a source
//! waits for at most one hash of each other source.
//!
//! Sign-ins precede clients every other time; between them, the source with the oldest turn is next. The last lane is served only while
//! the others are empty.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use protocol::Secret;
use tokio::sync::oneshot;

use crate::network_aggregation::NetworkAggregation;
use crate::password_hash::{OutOfMemory, PasswordSalt};
use crate::{ClientAddress, ForeignHash, SecretHash};

/// Concurrent jobs of one source.
const COMPUTED: usize = 8;
/// Waiting jobs in one queue.
const LINE: usize = 256;
/// Waiting jobs in one lane, over all sources.
const LANE: usize = 4_096;
const LANES: usize = 3;

/// A secret to hash. It is wiped when the hash is computed or the job is dropped.
#[derive(Debug)]
pub struct HashJob {
    /// The secret.
    pub secret: Secret,
    /// The salt of the stored hashes.
    pub salt: PasswordSalt,
    /// Jobs with equal keys are computed once: the key identifies all else. `None` for a job of its own.
    pub key: Option<[u8; 32]>,
    /// The hash of another system that the secret must have: without it nothing is hashed.
    pub only_if: Option<ForeignHash>,
}

/// The priority of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lane {
    /// Sign-ins of administrators.
    SignIn,
    /// Clients.
    Client,
    /// After all jobs of the other lanes.
    Last,
}

/// The queue or the lane is full, the wait was too long, or there is no memory for the computation (503).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many secrets wait to be checked")]
pub struct Busy;

/// The channel to a caller; `None` is sent where the secret does not have the foreign hash of the job.
pub(crate) type Answer = oneshot::Sender<Result<Option<SecretHash>, OutOfMemory>>;

/// A job whose turn has come. Every outcome ends with [`HashLanes::finish`].
pub(crate) struct Taken {
    pub(crate) job: HashJob,
    pub(crate) turn: Turn,
}

/// The turn of a job.
pub(crate) struct Turn {
    job: u64,
    place: Place,
    caller: ClientAddress,
}

type Place = (Lane, ClientAddress);

#[derive(Default)]
pub(crate) struct HashLanes {
    jobs: HashMap<u64, Job>,
    keys: HashMap<[u8; 32], u64>,
    sources: HashMap<ClientAddress, Lines>,
    /// The waiting sources of each lane in the order of their turns.
    turns: [BTreeMap<u64, ClientAddress>; LANES],
    /// The queues of each lane; the longest is last.
    lengths: [BTreeSet<(usize, ClientAddress)>; LANES],
    waiting: [usize; LANES],
    networks: NetworkAggregation,
    /// The last number of a job or a turn.
    last_number: u64,
    sign_in_was_last: bool,
}

struct Job {
    /// `None` while the hash is computed.
    work: Option<HashJob>,
    key: Option<[u8; 32]>,
    answers: Vec<Answer>,
    /// The queues of the job: equal jobs of several sources are one, computed at the first turn of any of them.
    places: Vec<Place>,
}

#[derive(Default)]
struct Lines {
    turn: u64,
    computed: usize,
    lines: [VecDeque<Entry>; LANES],
}

/// A job in a queue, with its source before aggregation.
struct Entry {
    job: u64,
    caller: ClientAddress,
}

impl HashLanes {
    /// Adds a job to the queue of its source, or joins it to an equal job.
    pub(crate) fn add(
        &mut self,
        job: HashJob,
        lane: Lane,
        caller: ClientAddress,
        answer: Answer,
    ) -> Result<(), Busy> {
        let place = (lane, self.networks.enter(caller));
        let entered = self.enter(job, place, answer);
        if let Ok(Some(job)) = entered {
            self.push(place, Entry { job, caller });
        } else {
            self.networks.leave(caller);
        }
        entered.map(drop)
    }

    /// Returns the number of the job if it takes a place in the queue.
    fn enter(&mut self, job: HashJob, place: Place, answer: Answer) -> Result<Option<u64>, Busy> {
        let equal = job.key.and_then(|key| self.keys.get(&key).copied());
        if let Some(equal) = equal.and_then(|number| self.jobs.get_mut(&number))
            && (equal.work.is_none() || equal.places.contains(&place))
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
            job.places.push(place);
        }
        Ok(Some(number))
    }

    /// Takes the next job that may be computed now.
    pub(crate) fn next(&mut self) -> Option<Taken> {
        loop {
            let place = self.pick()?;
            let entry = self.take_out(place, VecDeque::pop_front)?;
            if !self.is_wanted(entry.job) {
                self.give_up(place, &entry);
                continue;
            }
            let Some(job) = self.jobs.get_mut(&entry.job).and_then(|job| {
                job.places.retain(|waits| *waits != place);
                job.work.take()
            }) else {
                self.networks.leave(entry.caller);
                continue;
            };
            self.sign_in_was_last = place.0 == Lane::SignIn;
            let last = self.number();
            self.move_turn(place.1, last);
            self.sources.entry(place.1).or_default().computed += 1;
            return Some(Taken { job, turn: Turn { job: entry.job, place, caller: entry.caller } });
        }
    }

    /// Ends a turn and returns the channels to its callers.
    pub(crate) fn finish(&mut self, turn: &Turn) -> Vec<Answer> {
        self.networks.leave(turn.caller);
        if let Some(lines) = self.sources.get_mut(&turn.place.1) {
            lines.computed -= 1;
        }
        self.forget_idle(turn.place.1);
        self.remove_job(turn.job).map_or_else(Vec::new, |job| job.answers)
    }

    #[cfg(any(test, feature = "manual-hash-pool"))]
    pub(crate) fn callers(&self) -> usize {
        self.jobs.values().flat_map(|job| &job.answers).filter(|answer| !answer.is_closed()).count()
    }

    /// Picks a sign-in every other time, otherwise the oldest turn; the last lane only when the others are empty.
    fn pick(&self) -> Option<Place> {
        let first = |lane: Lane| self.first(lane).map(|(turn, source)| (turn, (lane, source)));
        let place = match (first(Lane::SignIn), first(Lane::Client)) {
            (Some(sign_in), Some(client)) if self.sign_in_was_last && client.0 <= sign_in.0 => client.1,
            (Some((_, place)), _) | (None, Some((_, place))) => place,
            (None, None) => first(Lane::Last)?.1,
        };
        Some(place)
    }

    fn first(&self, lane: Lane) -> Option<(u64, ClientAddress)> {
        let may_go_on =
            |source: &ClientAddress| self.sources.get(source).is_some_and(|lines| lines.computed < COMPUTED);
        let mut turns = self.turns[lane as usize].iter();
        turns.find(|(_, source)| may_go_on(source)).map(|(turn, source)| (*turn, *source))
    }

    /// Removes abandoned jobs from the head of a full queue. In a full lane the longest queue loses its newest job, unless the queue of the
    /// new job is as long.
    fn make_room(&mut self, place: Place) -> Result<(), Busy> {
        if self.length(place) >= LINE {
            while let Some(entry) = self.pop_unwanted(place) {
                self.give_up(place, &entry);
            }
        }
        let length = self.length(place);
        if length >= LINE {
            return Err(Busy);
        }
        let lane = place.0;
        if self.waiting[lane as usize] >= LANE {
            let (longest, source) = *self.lengths[lane as usize].last().ok_or(Busy)?;
            if longest <= length {
                return Err(Busy);
            }
            if let Some(entry) = self.take_out((lane, source), VecDeque::pop_back) {
                self.give_up((lane, source), &entry);
            }
        }
        Ok(())
    }

    fn pop_unwanted(&mut self, place: Place) -> Option<Entry> {
        let head = self.sources.get(&place.1)?.lines[place.0 as usize].front()?;
        if self.is_wanted(head.job) { None } else { self.take_out(place, VecDeque::pop_front) }
    }

    fn length(&self, (lane, source): Place) -> usize {
        self.sources.get(&source).map_or(0, |lines| lines.lines[lane as usize].len())
    }

    /// Whether the job still waits and has a caller.
    fn is_wanted(&self, job: u64) -> bool {
        let job = self.jobs.get(&job);
        job.is_some_and(|job| job.work.is_some() && !job.answers.iter().all(oneshot::Sender::is_closed))
    }

    /// Drops an entry that leaves its queue without a turn. Callers without another queue get [`Busy`].
    fn give_up(&mut self, place: Place, entry: &Entry) {
        self.networks.leave(entry.caller);
        let is_wanted = self.is_wanted(entry.job);
        let Some(job) = self.jobs.get_mut(&entry.job).filter(|job| job.work.is_some()) else { return };
        job.places.retain(|waits| *waits != place);
        if !is_wanted || job.places.is_empty() {
            self.remove_job(entry.job);
        }
    }

    fn new_job(&mut self, job: HashJob) -> u64 {
        let number = self.number();
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

    fn push(&mut self, (lane, source): Place, entry: Entry) {
        let number = self.number();
        let lines = self.sources.entry(source).or_default();
        if lines.lines.iter().all(VecDeque::is_empty) {
            lines.turn = number;
        }
        let line = &mut lines.lines[lane as usize];
        line.push_back(entry);
        let (turn, length) = (lines.turn, line.len());
        if length == 1 {
            self.turns[lane as usize].insert(turn, source);
        }
        self.resized((lane, source), length - 1, length);
    }

    fn take_out(
        &mut self,
        (lane, source): Place,
        take: impl FnOnce(&mut VecDeque<Entry>) -> Option<Entry>,
    ) -> Option<Entry> {
        let lines = self.sources.get_mut(&source)?;
        let line = &mut lines.lines[lane as usize];
        let entry = take(line)?;
        let (turn, length) = (lines.turn, line.len());
        if length == 0 {
            self.turns[lane as usize].remove(&turn);
        }
        self.resized((lane, source), length + 1, length);
        self.forget_idle(source);
        Some(entry)
    }

    fn resized(&mut self, (lane, source): Place, from: usize, to: usize) {
        let lengths = &mut self.lengths[lane as usize];
        lengths.remove(&(from, source));
        if to > 0 {
            lengths.insert((to, source));
        }
        let waiting = &mut self.waiting[lane as usize];
        *waiting = *waiting + to - from;
    }

    fn move_turn(&mut self, source: ClientAddress, turn: u64) {
        let Some(lines) = self.sources.get_mut(&source) else { return };
        for (lane, line) in self.turns.iter_mut().zip(&lines.lines) {
            if !line.is_empty() {
                lane.remove(&lines.turn);
                lane.insert(turn, source);
            }
        }
        lines.turn = turn;
    }

    fn forget_idle(&mut self, source: ClientAddress) {
        let idle = |lines: &Lines| lines.computed == 0 && lines.lines.iter().all(VecDeque::is_empty);
        if self.sources.get(&source).is_some_and(idle) {
            self.sources.remove(&source);
        }
    }

    fn number(&mut self) -> u64 {
        self.last_number += 1;
        self.last_number
    }
}
