//! Tests the order in which a worker runs and refuses requests, with a clock that the test
//! controls.

use tenancy::TenantId;

use super::*;

fn us(count: u64) -> Duration {
    Duration::from_micros(count)
}

/// A worker with 250 µs per request.
struct Case {
    queue: Queue,
    now: Instant,
    /// Dropping a ticket closes the connection of its request.
    held: Vec<Ticket>,
}

impl Case {
    fn new() -> Self {
        let now = Instant::now();
        Self { queue: Queue::new(Duration::from_secs(1), now, Arc::default()), now, held: Vec::new() }
    }

    /// Adds requests. Returns the numbers of waiting and of refused requests.
    fn come(&mut self, count: usize) -> [usize; 2] {
        self.come_from("acme", 1, count)
    }

    /// Adds requests of a tenant and a source. Returns the numbers of waiting and of refused
    /// requests.
    fn come_from(&mut self, tenant: &str, source: u8, count: usize) -> [usize; 2] {
        let line = WaitingLine::Tenant(TenantId::parse(tenant).unwrap());
        let source = CallerAddress::new(Some([192, 0, 2, source].into()));
        let before = self.held.len();
        for _ in 0..count {
            if let AdmissionVerdict::Waits(ticket) = self.queue.admit(line.clone(), source, self.now) {
                self.held.push(ticket);
            }
        }
        let waits = self.held.len() - before;
        [waits, count - waits]
    }

    /// One turn: the started requests have run and the sockets were read. Returns how many requests
    /// start next.
    fn turn(&mut self) -> u32 {
        self.now += us(250) * self.queue.called;
        self.queue.next_turn(self.now);
        self.queue.called
    }

    fn outcomes(&self) -> Vec<Option<WaitOutcome>> {
        self.held.iter().map(Ticket::outcome).collect()
    }
}

#[test]
fn requests_run_immediately_for_one_millisecond_per_turn() {
    let Case { mut queue, now, .. } = Case::new();
    for (polls, at, expected) in [
        (1, 10_000, true),
        (1, 10_999, true),
        (1, 11_000, false),
        (1, 20_000, false),
        (2, 20_000, true),
        (2, 20_999, true),
        (2, 21_000, false),
    ] {
        assert_eq!(queue.is_open(polls, now + us(at)), expected, "{polls} {at}");
    }
    queue.calls = true;
    assert!(!queue.is_open(3, now + us(30_000)), "what comes later waits behind what waits");
}

#[test]
fn waiting_requests_run_oldest_first_in_short_turns() {
    let mut case = Case::new();
    assert_eq!(case.come(9), [9, 0]);
    assert_eq!([case.turn(), case.turn(), case.turn(), case.turn()], [4, 4, 1, 0]);
    assert_eq!(case.outcomes(), [Some(WaitOutcome::Runs); 9]);
    assert!(!case.queue.calls);
    case.come(5);
    case.turn();
    let runs = Some(WaitOutcome::Runs);
    assert_eq!(case.outcomes()[9..], [runs, runs, runs, runs, None]);
}

#[test]
fn tenants_and_their_sources_take_turns() {
    let mut case = Case::new();
    case.come_from("globex", 1, 1_000);
    case.come_from("acme", 2, 3);
    case.come_from("acme", 3, 1);
    let runs = |case: &Case| -> Vec<usize> {
        let outcomes = case.outcomes();
        (1_000..1_004).filter(|place| outcomes[*place] == Some(WaitOutcome::Runs)).collect()
    };
    case.turn();
    assert_eq!(runs(&case), [1_000, 1_003], "each second call is acme's, of its sources in turn");
    case.turn();
    assert_eq!(runs(&case), [1_000, 1_001, 1_002, 1_003]);
    let expected = [
        Some(WaitOutcome::Runs),
        Some(WaitOutcome::Runs),
        Some(WaitOutcome::Runs),
        Some(WaitOutcome::Runs),
        None,
    ];
    assert_eq!(case.outcomes()[..5], expected);
}

// [shared 2]
#[test]
fn overload_by_one_tenant_refuses_no_other_tenant() {
    let mut case = Case::new();
    case.come_from("globex", 1, 1_000);
    let mut refused = [0; 2];
    for turn in 0..2_000 {
        case.turn();
        refused[0] += case.come_from("globex", 1, 40)[1];
        // A quarter of the worker's capacity.
        refused[1] += case.come_from("acme", 2, 1)[1];
        // The other tenant is not refused because of the overload.
        refused[1] += if turn % 4 == 0 { case.come_from("globex", 9, 1)[1] } else { 0 };
        case.held.retain(|ticket| ticket.outcome() != Some(WaitOutcome::Runs));
    }
    assert!(refused[0] > 50_000, "{refused:?}");
    assert_eq!(refused[1], 0);
    let of_acme = case.come_from("acme", 2, 1);
    assert_eq!((of_acme, case.turn()), ([1, 0], 4));
    assert_eq!(case.outcomes().last().copied().flatten(), Some(WaitOutcome::Runs), "in the next turn");
}

#[test]
fn slow_worker_never_refuses_a_tenants_first_request() {
    let mut case = Case::new();
    let mut refused = 0;
    let mut others = [("acme", None), ("initech", None)];
    for turn in 0..500 {
        // Each request takes 10 ms, so about a hundred requests can wait.
        case.now += MOST_COST * case.queue.called;
        case.queue.next_turn(case.now);
        case.held.retain(|ticket| ticket.outcome().is_none());
        refused += case.come_from("globex", 1, 48)[1];
        for (tenant, last) in &mut others {
            let outcome = last.as_ref().map(Ticket::outcome);
            assert_ne!(outcome, Some(Some(WaitOutcome::Refused)), "{tenant} in turn {turn}");
            if outcome != Some(None) {
                assert_eq!(case.come_from(tenant, 2, 1), [1, 0], "{tenant} in turn {turn}");
                *last = case.held.last().cloned();
            }
        }
    }
    assert!(refused > 20_000, "{refused}");
}

#[test]
fn closed_connection_takes_no_turn() {
    let mut case = Case::new();
    case.come(8);
    case.held.drain(..6);
    assert_eq!([case.turn(), case.turn()], [2, 0]);
}

// [third 18]: a burst that one worker answers within a second was refused with 503 | fixed | What a worker
//   can answer within a second waits, and only what is beyond is refused, the newest first
#[test]
fn burst_beyond_one_second_loses_its_newest_request() {
    let mut case = Case::new();
    assert_eq!(case.come(4_001), [4_000, 1]);
    let gone = case.held.pop();
    assert!(gone.is_some_and(|ticket| ticket.outcome().is_none()), "its connection ends");
    for _ in 0..999 {
        assert_eq!(case.turn(), 4);
    }
    assert_eq!(case.turn(), 3);
    assert_eq!(case.outcomes(), [Some(WaitOutcome::Runs); 3_999]);
    assert_eq!(case.queue.refusals.sample().value, 1);
    let [waits, refused] = case.come(5_000);
    assert!((3_990..4_010).contains(&waits) && refused > 0, "after a burst another one waits: {waits}");
}

// [third 18]
#[test]
fn request_waiting_over_a_second_is_refused() {
    let mut case = Case::new();
    case.come(2);
    case.now += us(1_000_001);
    case.come_from("globex", 1, 1);
    assert_eq!(case.turn(), 1);
    assert_eq!(case.outcomes(), [WaitOutcome::Refused, WaitOutcome::Refused, WaitOutcome::Runs].map(Some));
    assert_eq!(case.queue.refusals.sample().value, 2);
    case.come(1);
    case.now += us(999_000);
    assert_eq!(case.turn(), 1);
}

// [third 18]
#[test]
fn late_requests_cost_their_tenant_no_turn() {
    let mut case = Case::new();
    for source in [1, 1, 2] {
        case.come_from("acme", source, 1);
    }
    case.now += us(1_000_001);
    // Five requests of each tenant can run.
    case.come_from("acme", 1, 3);
    case.come_from("acme", 2, 2);
    case.come_from("globex", 1, 5);
    assert_eq!(case.turn(), 4);
    let (late, runs) = (Some(WaitOutcome::Refused), Some(WaitOutcome::Runs));
    assert_eq!(case.outcomes()[..3], [late; 3]);
    assert_eq!(case.outcomes()[3..], [runs, None, None, runs, None, runs, runs, None, None, None]);
    assert_eq!(case.queue.refusals.sample().value, 3);
}

#[test]
fn full_queue_drops_newest_request_of_busiest_source() {
    let mut case = Case::new();
    for source in 1..=200 {
        case.come_from("globex", source, 19);
    }
    assert_eq!(case.come_from("globex", 1, 210), [200, 10]);
    assert_eq!(case.come_from("globex", 201, 1), [1, 0], "in place of one of the source with most");
    assert_eq!(case.come_from("acme", 1, 1), [1, 0]);
    assert_eq!(case.queue.refusals.sample().value, 12);
    case.turn();
    let outcomes = case.outcomes();
    let runs: Vec<_> = (0..outcomes.len()).filter(|at| outcomes[*at] == Some(WaitOutcome::Runs)).collect();
    assert_eq!(
        runs,
        [0, 19, 38, outcomes.len() - 1],
        "one of acme, and one of each source of globex in turn"
    );
}

#[test]
fn request_cost_follows_measured_turns() {
    let mut case = Case::new();
    for _ in 0..10_000 {
        case.come(4);
        case.queue.next_turn(case.now);
        case.now += us(50) * case.queue.called;
    }
    assert!((us(45)..us(55)).contains(&case.queue.cost.get()), "{:?}", case.queue.cost);
    // The process was suspended for a minute.
    case.now += us(60_000_000);
    case.queue.next_turn(case.now);
    assert!(case.queue.cost.get() < us(100), "{:?}", case.queue.cost);
}

// [third 18]
#[test]
fn slowly_read_burst_barely_lowers_the_limit() {
    let mut case = Case::new();
    case.come(4);
    case.turn();
    case.now += us(1_000);
    case.queue.is_open(1, case.now);
    case.now += us(80_000);
    assert_eq!(case.come(3_000), [3_000, 0]);
    case.queue.next_turn(case.now);
    assert_eq!(case.come(400), [400, 0]);
}

#[test]
fn overloaded_turn_lasts_twice_the_reading_time() {
    let mut case = Case::new();
    case.come(4_000);
    case.turn();
    let mut called = Vec::new();
    for (polls, read, refused) in [(1, 2_000, 0), (2, 100, 1), (3, 2_000, 100), (4, 60_000, 4_000)] {
        case.now += us(250) * case.queue.called;
        assert!(!case.queue.is_open(polls, case.now));
        case.now += us(read);
        let more = 4_000 - case.queue.waiting.len();
        case.come(if refused > 0 { more + refused } else { 0 });
        // Reading the sockets takes several polls.
        assert!(!case.queue.is_open(polls, case.now));
        case.queue.next_turn(case.now);
        called.push(case.queue.called);
    }
    assert_eq!(called, [4, 4, 16, 80]);
}

#[test]
fn refusals_are_logged_at_most_once_in_ten_seconds() {
    let mut case = Case::new();
    assert_eq!(case.queue.take_unlogged(case.now), None);
    assert_eq!(case.come(4_003), [4_000, 3]);
    assert_eq!(case.queue.take_unlogged(case.now), Some(3));
    case.come(5);
    assert_eq!(case.queue.take_unlogged(case.now + us(9_999_999)), None);
    assert_eq!(case.queue.take_unlogged(case.now + LOG_PERIOD), Some(5));
    assert_eq!(case.queue.take_unlogged(case.now + LOG_PERIOD * 2), None);
}
