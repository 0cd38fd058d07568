//! The waiting requests of one worker. This code knows no socket and reads no clock.

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use actix_web::rt::time::Instant;
use secrets::ClientAddress;

use super::limit::Limit;
use super::refusals::Refusals;
use super::ticket::{Outcome, Ticket, Verdict};
use super::waiting::{Line, Waiting};

/// Requests run for this time before sockets are read again. It is long compared with the cost of reading,
/// about 10 us, and short compared with the latency of a token under load.
const TURN: Duration = Duration::from_millis(1);
/// The cost of a request until it has been measured: a signature with an RSA key of 2048 bits.
const FIRST_COST: Duration = Duration::from_micros(250);
/// A request that took longer than this was interrupted.
const MOST_COST: Duration = Duration::from_millis(10);
/// Part of a new measurement in the moving average of the cost.
const WEIGHT: u32 = 32;
/// A worker logs that it refuses requests at most once in this time.
const LOG_PERIOD: Duration = Duration::from_secs(10);

/// Waiting requests, and the present turn: the time since sockets were last read.
#[derive(Debug)]
pub(super) struct Queue {
    waiting: Waiting,
    limit: Limit,
    polls: u64,
    turn_began: Instant,
    /// Requests that were called in this turn.
    called: u32,
    /// Requests run only when they are called.
    pub(super) calls: bool,
    /// Moving average of a request's part of a turn.
    cost: Duration,
    refusals: Arc<Refusals>,
    unlogged: u64,
    logged: Option<Instant>,
}

impl Queue {
    pub(super) fn new(longest: Duration, now: Instant, refusals: Arc<Refusals>) -> Self {
        Self {
            waiting: Waiting::default(),
            limit: Limit(longest),
            polls: 0,
            turn_began: now,
            called: 0,
            calls: false,
            cost: FIRST_COST,
            refusals,
            unlogged: 0,
            logged: None,
        }
    }

    /// Whether what comes now may run at once; `polls` is how often the sockets have been read.
    pub(super) fn is_open(&mut self, polls: u64, now: Instant) -> bool {
        if self.calls {
            return false;
        }
        if polls != self.polls {
            (self.polls, self.turn_began) = (polls, now);
        }
        now.saturating_duration_since(self.turn_began) < TURN
    }

    /// Adds a request. If more wait than may, the newest requests of the tenant and source with most are
    /// refused.
    pub(super) fn admit(&mut self, line: Line, source: ClientAddress, now: Instant) -> Verdict {
        let tenants = self.waiting.tenants_with(&line);
        let most = self.limit.most(tenants, self.cost);
        let ticket = Ticket::new(now);
        self.waiting.push(line.clone(), source, ticket.clone());
        self.refuse_beyond(most, &line, source);
        if ticket.outcome().is_some() { Verdict::Refused } else { Verdict::Waits(ticket) }
    }

    /// Refuses the requests over the limit, after one of this line and source arrived.
    fn refuse_beyond(&mut self, most: usize, line: &Line, source: ClientAddress) {
        let mut refused = 0;
        while self.waiting.len() > most
            && let Some(ticket) = self.waiting.pop_excess(line, source)
        {
            refused += u64::from(ticket.is_held());
            ticket.decide(Outcome::Refused);
        }
        self.count(refused);
    }

    fn count(&mut self, refused: u64) {
        if refused > 0 {
            self.refusals.add(refused);
            self.unlogged += refused;
        }
    }

    /// Calls a turn's worth of requests; false if none waits.
    pub(super) fn next_turn(&mut self, now: Instant) -> bool {
        if let Some(cost) = now.saturating_duration_since(self.turn_began).checked_div(self.called) {
            self.cost = (self.cost * (WEIGHT - 1) + cost.min(MOST_COST)) / WEIGHT;
        }
        (self.turn_began, self.called) = (now, 0);
        let (limit, mut late) = (self.limit, 0);
        let mut can_run = |ticket: &Ticket| {
            let is_late = ticket.is_held() && limit.is_over(ticket.came(), now);
            if is_late {
                ticket.decide(Outcome::Refused);
                late += 1;
            }
            ticket.is_held() && !is_late
        };
        while self.called == 0 || self.cost * (self.called + 1) <= TURN {
            let Some(ticket) = self.waiting.pop(&mut can_run) else { break };
            ticket.decide(Outcome::Runs);
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
