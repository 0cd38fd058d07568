//! Limits the work that may wait on one worker. A burst may wait, and so may the requests of clients that
//! wait for each response before the next request. A queue that keeps growing may not.

use std::time::Duration;

use actix_web::rt::time::Instant;

/// A queue with more work than this is long, and an overloaded worker admits no more. This work keeps the
/// worker busy until sockets are read again, and more would only add latency.
const BACKLOG: Duration = Duration::from_micros(2_500);
/// No more waits at any time.
const MOST: Duration = Duration::from_secs(2);
/// The requests that arrive within this time after a queue became long are a burst.
const BURST: Duration = Duration::from_millis(75);
/// A queue that is long for this time and has grown after its burst is an overload.
const ONSET: Duration = Duration::from_millis(150);
/// The work by which a long queue may grow in each period after its burst. Chance causes such growth, and so
/// do new clients.
const GROWTH: Duration = Duration::from_millis(25);
const GROWTH_PERIOD: Duration = Duration::from_secs(1);
/// A worker stays overloaded until it refuses at most a twentieth of the requests of a period of this length.
/// Even far below the capacity a random cluster exceeds the backlog now and then, so a period without any
/// refusal is too much to expect.
const OVERLOAD_PERIOD: Duration = Duration::from_millis(100);
const MOST_REFUSED: u32 = 20;

/// The limit of one queue.
#[derive(Debug)]
pub(super) enum Limit {
    /// At most the backlog waits.
    Short,
    Long(LongQueue),
    Overload(Period),
}

/// A queue that had more waiting work than the backlog. It counts requests, because the cost of one is an
/// estimate that an interruption raises.
#[derive(Debug)]
pub(super) struct LongQueue {
    began: Instant,
    /// The most requests that waited.
    longest: usize,
    /// The most requests that had waited when the present period of growth began.
    before: usize,
    period_ends: Instant,
}

/// Requests that came while others waited or ran.
#[derive(Debug)]
pub(super) struct Period {
    began: Instant,
    came: u32,
    refused: u32,
}

impl Limit {
    /// Returns how many requests may wait when one arrives and `waiting` wait already, each at this cost. In
    /// an overload one of each tenant may wait, however slow the worker is. Otherwise a tenant that sends its
    /// next request at once would leave no place for the first request of another tenant.
    pub(super) fn most(&mut self, now: Instant, waiting: usize, tenants: usize, cost: Duration) -> usize {
        let next = match self {
            Self::Short => (waiting > within(BACKLOG, cost)).then(|| Self::Long(LongQueue::begin(now))),
            Self::Long(queue) => {
                queue.is_overload(now, waiting, cost).then(|| Self::Overload(Period::begin(now)))
            }
            Self::Overload(period) => period.ends_overload(now).then_some(Self::Short),
        };
        if let Some(next) = next {
            *self = next;
        }
        let most = within(MOST, cost);
        if matches!(self, Self::Overload(_)) { within(BACKLOG, cost).max(tenants).min(most) } else { most }
    }

    /// A request came.
    pub(super) fn came(&mut self, is_refused: bool) {
        if let Self::Overload(period) = self {
            period.came += 1;
            period.refused += u32::from(is_refused);
        }
    }

    /// Requests were called, and so many wait still.
    pub(super) fn called(&mut self, waiting: usize, cost: Duration) {
        if matches!(self, Self::Long(_)) && waiting <= within(BACKLOG, cost) {
            *self = Self::Short;
        }
    }
}

/// The requests that begin within this time.
fn within(time: Duration, cost: Duration) -> usize {
    usize::try_from(time.as_nanos().div_ceil(cost.as_nanos().max(1))).unwrap_or(usize::MAX)
}

impl LongQueue {
    fn begin(now: Instant) -> Self {
        Self { began: now, longest: 0, before: 0, period_ends: now + BURST }
    }

    fn is_overload(&mut self, now: Instant, waiting: usize, cost: Duration) -> bool {
        self.longest = self.longest.max(waiting);
        if now >= self.period_ends {
            (self.before, self.period_ends) = (self.longest, now + GROWTH_PERIOD);
        }
        let may_wait = within(MOST, cost).min(self.before + within(GROWTH, cost));
        waiting >= may_wait && now.saturating_duration_since(self.began) >= ONSET
    }
}

impl Period {
    fn begin(now: Instant) -> Self {
        Self { began: now, came: 0, refused: 0 }
    }

    /// Whether the overload is over; otherwise this is the present period.
    fn ends_overload(&mut self, now: Instant) -> bool {
        let length = now.saturating_duration_since(self.began);
        if length < OVERLOAD_PERIOD {
            return false;
        }
        let is_over = length >= OVERLOAD_PERIOD * 2 || self.refused.saturating_mul(MOST_REFUSED) <= self.came;
        *self = Self::begin(now);
        is_over
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COST: Duration = Duration::from_micros(250);

    fn ms(count: u64) -> Duration {
        Duration::from_millis(count)
    }

    /// A worker that answers four requests a millisecond.
    struct Worker {
        limit: Limit,
        begin: Instant,
        now: Instant,
        /// The part of a request that has come.
        due: f64,
        waiting: usize,
        refused: usize,
    }

    impl Worker {
        fn new() -> Self {
            let now = Instant::now();
            Self { limit: Limit::Short, begin: now, now, due: 0.0, waiting: 0, refused: 0 }
        }

        fn come(&mut self, count: usize) {
            for _ in 0..count {
                let most = self.limit.most(self.now, self.waiting, 1, COST);
                let is_refused = self.waiting >= most;
                self.limit.came(is_refused);
                if is_refused {
                    self.refused += 1 + self.waiting - most;
                    self.waiting = most;
                } else {
                    self.waiting += 1;
                }
            }
        }

        /// How many were answered in this millisecond.
        fn work(&mut self) -> usize {
            self.now += ms(1);
            let answered = self.waiting.min(4);
            self.waiting -= answered;
            self.limit.called(self.waiting, COST);
            answered
        }

        /// Sends requests at a multiple of the capacity without waiting for responses. Returns the length of
        /// the longest queue.
        fn open_loop(&mut self, load: f64, length: Duration) -> usize {
            let mut longest = 0;
            for _ in 0..length.as_millis() {
                self.due += 4.0 * load;
                while self.due >= 1.0 {
                    self.come(1);
                    self.due -= 1.0;
                }
                longest = longest.max(self.waiting);
                self.work();
            }
            longest
        }

        /// When the overload began.
        fn await_overload(&mut self, load: f64) -> Duration {
            while !self.is_overloaded() {
                self.open_loop(load, ms(1));
            }
            self.now - self.begin
        }

        fn is_overloaded(&self) -> bool {
            matches!(self.limit, Limit::Overload(_))
        }
    }

    #[test]
    fn a_burst_is_answered_whole() {
        // The burst arrives at once, or over the time in which sockets are read.
        for (each, times) in [(2_000, 1), (7_900, 1), (40, 75)] {
            let mut worker = Worker::new();
            for _ in 0..times {
                worker.come(each);
                worker.work();
            }
            // Requests of normal operation after the burst are answered, too.
            worker.open_loop(0.7, ms(10_000));
            assert_eq!((worker.refused, worker.waiting), (0, 0), "{times} times {each}");
        }
    }

    #[test]
    fn no_more_than_two_seconds_of_work_wait() {
        let mut worker = Worker::new();
        worker.come(8_100);
        assert_eq!((worker.waiting, worker.refused), (8_000, 100));
        assert!(!worker.is_overloaded(), "what waits is answered");
    }

    #[test]
    fn an_overload_is_seen_soon_and_its_queue_is_cut() {
        for (load, from, to) in
            [(20.0, 150, 155), (10.0, 150, 155), (2.0, 150, 175), (1.2, 200, 300), (1.05, 500, 1_100)]
        {
            let mut worker = Worker::new();
            let began = worker.await_overload(load);
            assert!((ms(from)..ms(to)).contains(&began), "{load}: {began:?}");
            assert!(worker.waiting <= 10, "{load}: {} wait", worker.waiting);
            assert_eq!(worker.open_loop(load, ms(50)), 10, "{load}");
        }
    }

    #[test]
    fn clients_that_wait_for_their_answers_are_never_refused() {
        for connections in [20, 600, 2_500, 7_900] {
            let mut worker = Worker::new();
            // Connections that have no request at the worker, since their client is busy.
            let mut away = connections;
            for elapsed in 0..20_000 {
                // The client stops for 50 ms now and then, and sends all at once after that.
                if elapsed % 1_000 >= 50 {
                    worker.come(std::mem::take(&mut away));
                }
                away += worker.work();
            }
            assert_eq!((worker.refused, worker.is_overloaded()), (0, false), "{connections}");
        }
    }

    #[test]
    fn an_interruption_that_raises_the_cost_is_no_overload() {
        let mut worker = Worker::new();
        worker.come(1_000);
        for elapsed in 0..10_000 {
            let cost = if elapsed % 100 == 99 { COST * 2 } else { COST };
            assert!(worker.waiting < worker.limit.most(worker.now, worker.waiting, 1, cost), "{elapsed}");
            let answered = worker.work();
            worker.come(answered);
        }
        assert!(!worker.is_overloaded());
    }

    #[test]
    fn clients_that_wait_for_their_answers_hide_no_overload() {
        let mut worker = Worker::new();
        worker.come(1_000);
        worker.open_loop(1.0, ms(60_000));
        let began = worker.now - worker.begin;
        assert!(worker.await_overload(10.0) - began < ms(10));
    }

    #[test]
    fn an_overload_is_over_when_few_requests_are_refused() {
        let mut worker = Worker::new();
        worker.await_overload(10.0);
        worker.open_loop(10.0, ms(1_000));
        assert!(worker.is_overloaded());
        worker.open_loop(1.1, ms(1_000));
        assert!(worker.is_overloaded(), "a tenth is too much");
        worker.open_loop(1.0, ms(200));
        assert!(!worker.is_overloaded());
        let refused = worker.refused;
        worker.come(2_000);
        assert_eq!(worker.refused, refused, "a burst may wait again");
    }

    #[test]
    fn an_overload_is_over_when_nothing_comes() {
        let mut worker = Worker::new();
        worker.await_overload(10.0);
        worker.open_loop(0.0, OVERLOAD_PERIOD * 2);
        worker.come(100);
        assert_eq!((worker.waiting, worker.is_overloaded()), (100, false));
    }
}
