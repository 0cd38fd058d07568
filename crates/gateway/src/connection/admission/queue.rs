//! The waiting requests of one worker. This code knows no socket and reads no clock.

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use actix_web::rt::time::Instant;
use secrets::ClientAddress;

use super::limit::QueueLimit;
use super::refusals::Refusals;
use super::ticket::{AdmissionVerdict, Ticket, WaitOutcome};
use super::waiting::{WaitingLine, WaitingRequests};

/// Requests run for this time before sockets are read again. It is long compared with the cost of reading,
/// about 10 us, and short compared with the latency of a token under load.
const TURN: Duration = Duration::from_millis(1);
/// A request that took longer than this was interrupted.
const MOST_COST: Duration = Duration::from_millis(10);
/// An average covers this time of work. A burst that is read at once, or one interruption, changes it
/// little.
const MEMORY: Duration = Duration::from_millis(250);
/// So many requests take this time until they have been measured: signatures by RSA keys of 2048 bits.
const FIRST_REQUESTS: u32 = 1_000;
/// In an overload the requests that wait run for so many times as long as others are read and refused.
/// Otherwise senders that never pause would take the worker from those that are answered.
const SHARE: u32 = 2;
/// The longest turn. After it, sockets are read, also those of operators.
const LONGEST_TURN: Duration = Duration::from_millis(20);
/// A worker logs that it refuses requests at most once in this time.
const LOG_PERIOD: Duration = Duration::from_secs(10);

/// The average time of a request in the last turns.
#[derive(Debug)]
struct Average {
    time: Duration,
    requests: u32,
}

impl Average {
    fn new() -> Self {
        Self { time: MEMORY, requests: FIRST_REQUESTS }
    }

    fn add(&mut self, time: Duration, requests: u32) {
        self.time += time.min(MOST_COST * requests);
        self.requests += requests;
        if self.time > MEMORY * 2 {
            (self.time, self.requests) = (self.time / 2, self.requests.div_ceil(2));
        }
    }

    fn get(&self) -> Duration {
        self.time / self.requests
    }
}

/// Waiting requests, and the present turn: the time since sockets were last read.
#[derive(Debug)]
pub(super) struct Queue {
    waiting: WaitingRequests,
    limit: QueueLimit,
    polls: u64,
    turn_began: Instant,
    /// Requests that were called in this turn.
    called: u32,
    /// Whether so many wait that one was refused in this turn.
    is_overloaded: bool,
    /// Requests run only when they are called.
    pub(super) calls: bool,
    /// When sockets were read after the called requests had run.
    ran_until: Option<Instant>,
    /// The time in which a called request runs.
    cost: Average,
    /// A called request's part of a turn, in which requests are also read and refused.
    part: Average,
    refusals: Arc<Refusals>,
    unlogged: u64,
    logged: Option<Instant>,
}

impl Queue {
    pub(super) fn new(longest: Duration, now: Instant, refusals: Arc<Refusals>) -> Self {
        Self {
            waiting: WaitingRequests::default(),
            limit: QueueLimit(longest),
            polls: 0,
            turn_began: now,
            called: 0,
            is_overloaded: false,
            calls: false,
            ran_until: None,
            cost: Average::new(),
            part: Average::new(),
            refusals,
            unlogged: 0,
            logged: None,
        }
    }

    /// Whether what comes now may run at once; `polls` is how often the sockets have been read.
    pub(super) fn is_open(&mut self, polls: u64, now: Instant) -> bool {
        let is_first = std::mem::replace(&mut self.polls, polls) != polls;
        if self.calls {
            self.ran_until = self.ran_until.or(is_first.then_some(now));
            return false;
        }
        if is_first {
            self.turn_began = now;
        }
        now.saturating_duration_since(self.turn_began) < TURN
    }

    /// Adds a request. If as many wait as may, one is refused: the newest of the tenant and source with most,
    /// which in an overload is nearly always this one. A limit that falls refuses nothing that waits already.
    pub(super) fn admit(
        &mut self,
        line: WaitingLine,
        source: ClientAddress,
        now: Instant,
    ) -> AdmissionVerdict {
        let is_full =
            self.waiting.len() >= self.limit.most(self.waiting.tenants_with(&line), self.part.get());
        let place = (line, (source, ()));
        self.is_overloaded |= is_full;
        if is_full && self.waiting.has_longest(&place) {
            self.count(1);
            return AdmissionVerdict::Refused;
        }
        if is_full && let Some(ticket) = self.waiting.pop_excess(&place) {
            self.count(u64::from(ticket.is_held()));
            ticket.decide(WaitOutcome::Refused);
        }
        let ticket = Ticket::new(now);
        self.waiting.push(place, ticket.clone());
        AdmissionVerdict::Waits(ticket)
    }

    fn count(&mut self, refused: u64) {
        if refused > 0 {
            self.refusals.add(refused);
            self.unlogged += refused;
        }
    }

    /// Calls a turn's worth of requests; false if none waits.
    pub(super) fn next_turn(&mut self, now: Instant) -> bool {
        let ran_until = self.ran_until.take().unwrap_or(now);
        self.cost.add(ran_until.saturating_duration_since(self.turn_began), self.called);
        self.part.add(now.saturating_duration_since(self.turn_began), self.called);
        let cost = self.cost.get();
        let reading = now.saturating_duration_since(ran_until);
        let is_overloaded = std::mem::take(&mut self.is_overloaded);
        let turn = if is_overloaded { (reading * SHARE).clamp(TURN, LONGEST_TURN) } else { TURN };
        (self.turn_began, self.called) = (now, 0);
        let (limit, mut late) = (self.limit, 0);
        let mut can_run = |ticket: &Ticket| {
            let is_late = ticket.is_held() && limit.is_over(ticket.came(), now);
            if is_late {
                ticket.decide(WaitOutcome::Refused);
                late += 1;
            }
            ticket.is_held() && !is_late
        };
        while self.called == 0 || cost * (self.called + 1) <= turn {
            let Some(ticket) = self.waiting.pop(&mut can_run) else { break };
            ticket.decide(WaitOutcome::Runs);
            self.called += 1;
        }
        self.count(late);
        self.calls = self.called > 0;
        self.calls
    }

    /// The number of refusals since the last line of the log, when the next line is due.
    pub(super) fn take_unlogged(&mut self, now: Instant) -> Option<u64> {
        let is_due = self.logged.is_none_or(|last| now.saturating_duration_since(last) >= LOG_PERIOD);
        if self.unlogged == 0 || !is_due {
            return None;
        }
        self.logged = Some(now);
        Some(std::mem::take(&mut self.unlogged))
    }
}
