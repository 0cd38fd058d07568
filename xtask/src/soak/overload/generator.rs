//! The load: one thread sends requests at their scheduled times, over connections that it polls without
//! pause, and records their results. A request that finds every connection busy waits for one, and this wait
//! is part of its latency.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use super::connection::{Connection, Outcome};
use super::schedule::{Phase, Schedule};

/// The number is below a listener's backlog: over it a client tries again after a second, and the first
/// connections would be closed as idle.
const OPENED_AT_ONCE: usize = 64;
const TO_ACCEPT: Duration = Duration::from_millis(10);
/// Connections polled before the schedule is read again.
const POLLED_AT_ONCE: usize = 32;
/// Answers are awaited for this time after the last arrival.
const PATIENCE: Duration = Duration::from_secs(10);

/// One request. Its times count from the begin.
#[derive(Clone, Copy)]
pub(super) struct Record {
    /// When it was due.
    pub(super) due: Duration,
    /// The time from then to the end of its answer.
    pub(super) took: Duration,
    pub(super) outcome: Outcome,
}

/// The result of a schedule.
pub(super) struct Run {
    pub(super) records: Vec<Record>,
    /// How late the generator noticed each arrival.
    pub(super) lateness: Vec<Duration>,
}

pub(super) struct Generator {
    requests: Vec<Vec<u8>>,
    connections: Vec<Connection>,
    /// Each is used in its turn, so that all are in use at any rate.
    idle: VecDeque<usize>,
    /// Connections that wait for an answer, with the time at which its request was due.
    busy: Vec<(usize, Duration)>,
    cursor: usize,
    sent: usize,
}

impl Generator {
    /// Sends these requests in turn.
    pub(super) fn new(address: SocketAddr, connections: usize, requests: Vec<Vec<u8>>) -> io::Result<Self> {
        let open = |number: usize| {
            if number.is_multiple_of(OPENED_AT_ONCE) {
                thread::sleep(TO_ACCEPT);
            }
            Connection::open(address)
        };
        let connections: Vec<_> = (0..connections).map(open).collect::<io::Result<_>>()?;
        let idle = (0..connections.len()).collect();
        Ok(Self { requests, connections, idle, busy: Vec::new(), cursor: 0, sent: 0 })
    }

    /// Closed loop: every connection sends its next request as soon as it has the answer.
    pub(super) fn saturate(&mut self, length: Duration) -> io::Result<Vec<Record>> {
        let (begin, mut records) = (Instant::now(), Vec::new());
        while begin.elapsed() < length || !self.busy.is_empty() {
            while begin.elapsed() < length && !self.idle.is_empty() {
                self.send(begin.elapsed())?;
            }
            self.poll(begin, &mut records)?;
        }
        Ok(records)
    }

    /// Open loop: requests are due by the schedule. A request that could not be sent in its phase is never
    /// sent.
    pub(super) fn offer(&mut self, phases: &[Phase]) -> io::Result<Run> {
        let mut schedule = Schedule::new(phases).peekable();
        let mut ends: VecDeque<Duration> = phases
            .iter()
            .scan(Duration::ZERO, |end, phase| {
                *end += phase.length;
                Some(*end)
            })
            .collect();
        let last = ends.back().copied().unwrap_or_default();
        let mut run = Run { records: Vec::new(), lateness: Vec::new() };
        let (mut waiting, begin) = (VecDeque::<Duration>::new(), Instant::now());
        loop {
            let now = begin.elapsed();
            if ends.front().is_some_and(|end| *end <= now) {
                ends.pop_front();
                let unsent = waiting.drain(..);
                let record =
                    |due: Duration| Record { due, took: now.saturating_sub(due), outcome: Outcome::NotSent };
                run.records.extend(unsent.map(record));
            }
            while let Some(due) = schedule.next_if(|due| *due <= now) {
                run.lateness.push(now.saturating_sub(due));
                waiting.push_back(due);
            }
            while !self.idle.is_empty()
                && let Some(due) = waiting.pop_front()
            {
                self.send(due)?;
            }
            let is_over = schedule.peek().is_none() && waiting.is_empty() && self.busy.is_empty();
            if is_over || now > last + PATIENCE {
                let record = |(_, due): (usize, Duration)| Record {
                    due,
                    took: now.saturating_sub(due),
                    outcome: Outcome::Failed,
                };
                run.records.extend(self.busy.drain(..).map(record));
                return Ok(run);
            }
            self.poll(begin, &mut run.records)?;
        }
    }

    fn send(&mut self, due: Duration) -> io::Result<()> {
        if let Some(index) = self.idle.pop_front() {
            let request = &self.requests[self.sent % self.requests.len()];
            self.sent += 1;
            self.connections[index].send(request)?;
            self.busy.push((index, due));
        }
        Ok(())
    }

    /// Polls some of the busy connections.
    fn poll(&mut self, begin: Instant, records: &mut Vec<Record>) -> io::Result<()> {
        for _ in 0..POLLED_AT_ONCE.min(self.busy.len()) {
            if self.cursor >= self.busy.len() {
                self.cursor = 0;
            }
            let Some(&(index, due)) = self.busy.get(self.cursor) else { break };
            match self.connections[index].poll()? {
                None => self.cursor += 1,
                Some(outcome) => {
                    self.busy.swap_remove(self.cursor);
                    self.idle.push_back(index);
                    records.push(Record { due, took: begin.elapsed().saturating_sub(due), outcome });
                }
            }
        }
        Ok(())
    }
}
