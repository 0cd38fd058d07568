//! The queue of one worker. It has no access to sockets and clocks, so tests control both.

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use actix_web::rt::time::Instant;
use secrets::CallerAddress;

use super::limit::QueueLimit;
use super::refusals::Refusals;
use super::ticket::{AdmissionVerdict, Ticket, WaitOutcome};
use super::waiting::{WaitingLine, WaitingRequests};

/// How long requests run before the sockets are read again. Reading takes about 10 µs; the latency
/// of a token under load is much longer than a millisecond.
const TURN: Duration = Duration::from_millis(1);
/// A longer measurement means that the thread was interrupted.
const MOST_COST: Duration = Duration::from_millis(10);
/// The averages cover this amount of work, so that one burst or one interruption changes them
/// little.
const MEMORY: Duration = Duration::from_millis(250);
/// The initial estimate before any measurement: 1000 requests per second, for signatures with
/// 2048-bit RSA keys.
const FIRST_REQUESTS: u32 = 1_000;
/// During overload, waiting requests run for this multiple of the time that reading and refusing
/// takes. Otherwise senders that never pause would use up the worker for refusals.
const SHARE: u32 = 2;
/// The maximum duration of a batch. After it the sockets are read, including those of operators.
const LONGEST_TURN: Duration = Duration::from_millis(20);
/// Minimum time between two log lines about refused requests.
const LOG_PERIOD: Duration = Duration::from_secs(10);

/// The average duration of a request.
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

/// The waiting requests, and the current turn: the time since the sockets were last read.
#[derive(Debug)]
pub(super) struct Queue {
    waiting: WaitingRequests,
    limit: QueueLimit,
    polls: u64,
    turn_began: Instant,
    /// Requests started in this turn.
    called: u32,
    /// Whether a request was refused in this turn because the queue was full.
    is_overloaded: bool,
    /// Whether new requests have to wait.
    pub(super) calls: bool,
    /// When the started requests had run and the sockets were read again.
    ran_until: Option<Instant>,
    /// The duration of a request.
    cost: Average,
    /// The duration of a turn for each request started in it. Includes reading and refusing other
    /// requests.
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

    /// Whether a request that arrives now may run immediately. `polls` is the number of times that
    /// the sockets were read.
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

    /// Adds a request. If the queue is full, refuses the newest request of the tenant and source
    /// with the most requests, which is usually the added one. If the limit falls, waiting requests
    /// stay.
    pub(super) fn admit(
        &mut self,
        line: WaitingLine,
        source: CallerAddress,
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

    /// Starts the requests of one turn. Returns false if none waits.
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

    /// Returns the number of refusals since the last log line, if the next line is due.
    pub(super) fn take_unlogged(&mut self, now: Instant) -> Option<u64> {
        let is_due = self.logged.is_none_or(|last| now.saturating_duration_since(last) >= LOG_PERIOD);
        if self.unlogged == 0 || !is_due {
            return None;
        }
        self.logged = Some(now);
        Some(std::mem::take(&mut self.unlogged))
    }
}
