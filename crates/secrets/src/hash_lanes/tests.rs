//! Tests the order in which a single thread computes hashes.

use super::*;

type Answered = oneshot::Receiver<Result<Option<SecretHash>, OutOfMemory>>;

#[derive(Default)]
struct Waiting {
    lanes: HashLanes,
    callers: Vec<Answered>,
}

impl Waiting {
    fn add(&mut self, text: &str, lane: Lane, source: CallerAddress) -> Result<(), Busy> {
        self.add_of("acme", text, lane, source)
    }

    fn add_of(&mut self, of: &str, text: &str, lane: Lane, source: CallerAddress) -> Result<(), Busy> {
        self.add_job(of, text, None, lane, source).map(|answered| self.callers.push(answered))
    }

    fn add_keyed(&mut self, text: &str, key: u8, lane: Lane, source: CallerAddress) -> Answered {
        self.add_job("acme", text, Some(key), lane, source).unwrap()
    }

    fn add_job(
        &mut self,
        of: &str,
        text: &str,
        key: Option<u8>,
        lane: Lane,
        source: CallerAddress,
    ) -> Result<Answered, Busy> {
        let tenant = TenantId::parse(of).unwrap();
        let (answer, answered) = oneshot::channel();
        let key = key.map(|key| [key; 32]);
        let job =
            HashJob { secret: Secret::new(text.to_owned()), salt: PasswordSalt::dummy(), key, only_if: None };
        self.lanes.add(&tenant, job, lane, source, answer).map(|()| answered)
    }

    /// Computes all jobs like a single thread.
    fn served(&mut self) -> Vec<String> {
        let mut served = Vec::new();
        while let Some(Taken { job, turn }) = self.lanes.next() {
            served.push(job.secret.expose().to_owned());
            for answer in self.lanes.finish(&turn) {
                drop(answer.send(Ok(Some(SecretHash::token([1; 32])))));
            }
        }
        served
    }

    /// Computes this many jobs.
    fn serve(&mut self, count: usize) {
        for _ in 0..count {
            let taken = self.lanes.next().unwrap();
            self.lanes.finish(&taken.turn);
        }
    }

    fn assert_empty(&self) {
        let HashLanes { jobs, keys, order, networks, .. } = &self.lanes;
        assert!(jobs.is_empty() && keys.is_empty(), "{}", jobs.len());
        assert!(order.is_empty());
        assert_eq!(format!("{networks:?}"), format!("{:?}", NetworkAggregation::default()));
    }
}

fn source(number: u32) -> CallerAddress {
    CallerAddress::new(Some(std::net::Ipv4Addr::from(number).into()))
}

fn network(number: u16) -> CallerAddress {
    CallerAddress::new(Some(std::net::Ipv6Addr::new(0x2001, 0xdb8, 7, number, 0, 0, 0, 1).into()))
}

// [found 4]
#[test]
fn sources_are_served_in_turn() {
    let mut waiting = Waiting::default();
    for (text, number) in [("a1", 1), ("a2", 1), ("a3", 1), ("b1", 2), ("b2", 2), ("c1", 3)] {
        waiting.add(text, Lane::Client, source(number)).unwrap();
    }
    assert_eq!(waiting.served(), ["a1", "b1", "c1", "a2", "b2", "a3"]);
    waiting.assert_empty();
}

#[test]
fn sign_ins_get_alternate_turns_and_last_lane_waits() {
    let mut waiting = Waiting::default();
    for (text, lane, number) in [
        ("last", Lane::Last, 9),
        ("a", Lane::Client, 1),
        ("b", Lane::Client, 2),
        ("c", Lane::Client, 3),
        ("x1", Lane::SignIn, 4),
        ("x2", Lane::SignIn, 4),
        ("x3", Lane::SignIn, 4),
    ] {
        waiting.add(text, lane, source(number)).unwrap();
    }
    assert_eq!(waiting.served(), ["x1", "a", "x2", "b", "x3", "c", "last"]);
    waiting.assert_empty();
}

// [attacks #19], [found 4]
/// Covers each way in which one source can have 120 waiting guesses, and each moment at which the other
/// source arrives.
#[test]
fn guesses_delay_other_sources_by_at_most_one_hash() {
    for sign_ins in [0, 1, 60, 119, 120] {
        for before in 0..119 {
            let mut waiting = Waiting::default();
            for guess in 0..120 {
                let lane = if guess < sign_ins { Lane::SignIn } else { Lane::Client };
                waiting.add("guess", lane, source(1)).unwrap();
            }
            waiting.serve(before);
            waiting.add("sign-in", Lane::SignIn, source(2)).unwrap();
            let moved = waiting.served().iter().take_while(|text| *text == "guess").count();
            assert!(moved < 2, "{moved} hashes of {sign_ins} sign-ins after {before}");
        }
    }
}

// [limits #18]: hashes of a source, over all tenants | 8 in the pool, 256 waiting, 5 s; tenants are served in
//   turn, then the sources of a tenant | 503 with `Retry-After` for the newest at the tenant where it has
//   most
// [found 4]
#[test]
fn source_has_at_most_eight_jobs_in_the_pool() {
    let mut waiting = Waiting::default();
    for _ in 0..20 {
        waiting.add("a", Lane::Client, source(1)).unwrap();
    }
    let mut turns: Vec<_> = std::iter::from_fn(|| waiting.lanes.next()).collect();
    assert_eq!(turns.len(), COMPUTED);
    waiting.add("b", Lane::Client, source(2)).unwrap();
    assert_eq!(waiting.lanes.next().unwrap().job.secret.expose(), "b");
    assert!(waiting.lanes.next().is_none());
    waiting.lanes.finish(&turns.pop().unwrap().turn);
    assert_eq!(waiting.lanes.next().unwrap().job.secret.expose(), "a");
}

// [limits #18]
#[test]
fn full_line_refuses_only_its_source_and_lane() {
    let mut waiting = Waiting::default();
    for _ in 0..LINE {
        waiting.add("a", Lane::Client, source(1)).unwrap();
    }
    assert_eq!(waiting.add("a", Lane::Client, source(1)), Err(Busy));
    for (lane, number) in [(Lane::SignIn, 1), (Lane::Last, 1), (Lane::Client, 2)] {
        waiting.add("b", lane, source(number)).unwrap();
    }
    drop(waiting.callers.remove(0));
    waiting.add("a", Lane::Client, source(1)).expect("the place of a caller that went away is free");
    assert_eq!(waiting.served().len(), LINE + 3);
    waiting.assert_empty();
}

#[test]
fn full_lane_drops_newest_caller_of_longest_line() {
    let mut waiting = Waiting::default();
    let lines = u32::try_from(LANE / LINE).unwrap();
    for number in 0..lines {
        for _ in 0..LINE {
            waiting.add("a", Lane::Client, source(number)).unwrap();
        }
    }
    for number in lines..lines + 10 {
        waiting.add("b", Lane::Client, source(number)).unwrap();
    }
    assert_eq!(waiting.lanes.order.lengths, [0, LANE, 0]);
    let is_dropped = |caller: &mut Answered| caller.try_recv() == Err(oneshot::error::TryRecvError::Closed);
    assert_eq!(waiting.callers.iter_mut().map(is_dropped).filter(|is_dropped| *is_dropped).count(), 10);
    let served = waiting.served();
    assert_eq!((served.len(), served.iter().filter(|text| *text == "b").count()), (LANE, 10));
    waiting.assert_empty();
}

#[test]
fn equal_jobs_are_computed_once_at_the_earliest_turn() {
    let mut waiting = Waiting::default();
    for _ in 0..3 {
        waiting.add("other", Lane::Client, source(1)).unwrap();
    }
    let mut callers: Vec<_> = [(1, 1), (1, 1), (1, 2), (2, 2)]
        .map(|(key, number)| waiting.add_keyed("equal", key, Lane::Client, source(number)))
        .into();
    assert_eq!(waiting.lanes.order.lengths, [0, 6, 0]);
    // The queue of the first source does not delay the second source, whose turn serves both.
    waiting.serve(1);
    let Taken { job, turn } = waiting.lanes.next().unwrap();
    assert_eq!(job.key, Some([1; 32]));
    callers.push(waiting.add_keyed("equal", 1, Lane::Client, source(3)));
    assert_eq!(waiting.lanes.finish(&turn).len(), 4, "also the one that came during the computation");
    assert_eq!(waiting.served(), ["other", "equal", "other"]);
    assert_eq!(callers.iter_mut().filter_map(|caller| caller.try_recv().ok()).count(), 1);
    waiting.assert_empty();
}

// [found 4]
#[test]
fn job_without_waiting_callers_is_dropped() {
    let mut waiting = Waiting::default();
    let first = waiting.add_keyed("equal", 1, Lane::Client, source(1));
    let second = waiting.add_keyed("equal", 1, Lane::SignIn, source(2));
    drop(first);
    drop(waiting.add_keyed("gone", 2, Lane::Last, source(2)));
    assert_eq!(waiting.served(), ["equal"]);
    drop(second);
    waiting.assert_empty();
}

// [limits #22], [found 4]
#[test]
fn networks_of_an_aggregated_site_share_one_line() {
    let mut waiting = Waiting::default();
    for number in 0..100 {
        waiting.add("crowd", Lane::Client, network(number)).unwrap();
    }
    waiting.add("other", Lane::Client, source(1)).unwrap();
    assert_eq!(waiting.lanes.order.sources.len(), 16 + 1);
    let served = waiting.served();
    assert!(served.iter().position(|text| text == "other").unwrap() <= 17);
    assert_eq!(served.len(), 101);
    waiting.assert_empty();
}

#[test]
fn tenants_are_served_in_turn_regardless_of_sources() {
    for lane in [Lane::SignIn, Lane::Client, Lane::Last] {
        let mut waiting = Waiting::default();
        for number in 0..100 {
            waiting.add_of("busy", "busy", lane, source(number)).unwrap();
        }
        for number in 0..3 {
            waiting.add_of("acme", "acme", lane, source(1_000 + number)).unwrap();
            waiting.add_of("globex", "globex", lane, source(2_000)).unwrap();
        }
        let served = waiting.served();
        assert_eq!(served[..9].concat(), "busyacmeglobex".repeat(3), "{lane:?}");
        assert_eq!(served.len(), 106);
        waiting.assert_empty();
    }
}

// [shared 2.1]
/// Covers each moment at which the other tenant arrives, and both lanes for each tenant.
#[test]
fn busy_tenant_delays_others_by_at_most_one_hash() {
    for (theirs, own) in [
        (Lane::SignIn, Lane::SignIn),
        (Lane::SignIn, Lane::Client),
        (Lane::Client, Lane::SignIn),
        (Lane::Client, Lane::Client),
    ] {
        for before in 0..99 {
            let mut waiting = Waiting::default();
            for number in 0..50 {
                waiting.add_of("busy", "busy", theirs, source(number)).unwrap();
                waiting.add_of("busy", "busy", theirs, source(number)).unwrap();
            }
            waiting.serve(before);
            waiting.add_of("acme", "own", own, source(1_000)).unwrap();
            let moved = waiting.served().iter().take_while(|text| *text == "busy").count();
            assert!(moved < 2, "{moved} hashes in {theirs:?}, own in {own:?} after {before}");
        }
    }
}

#[test]
fn source_at_many_tenants_gets_one_turn() {
    let mut waiting = Waiting::default();
    for number in 0..200 {
        waiting.add_of(&format!("tenant-{number}"), "guess", Lane::Client, source(1)).unwrap();
    }
    waiting.serve(1);
    waiting.add_of("acme", "own", Lane::Client, source(2)).unwrap();
    waiting.add_of("tenant-199", "own", Lane::Client, source(3)).unwrap();
    let served = waiting.served();
    let at: Vec<_> = (0..served.len()).filter(|at| served[*at] == "own").collect();
    assert!(at.iter().all(|at| *at < 3), "{at:?}");
    assert_eq!(served.len(), 201);
    waiting.assert_empty();
}

/// A stranger shares an address with other people, guesses continuously at another tenant, and has further
/// sources at the tenant of these people.
#[test]
fn users_of_a_shared_address_are_eventually_served() {
    let mut waiting = Waiting::default();
    let mut served_after = None;
    waiting.add_of("acme", "own", Lane::SignIn, source(1)).unwrap();
    for round in 0..40 {
        waiting.add_of("globex", "guess", Lane::SignIn, source(1)).unwrap();
        waiting.add_of("acme", "guess", Lane::SignIn, source(2)).unwrap();
        let taken = waiting.lanes.next().unwrap();
        waiting.lanes.finish(&taken.turn);
        if taken.job.secret.expose() == "own" {
            served_after.get_or_insert(round);
        }
    }
    assert!(served_after.is_some_and(|rounds| rounds < 16), "{served_after:?}");
}

#[test]
fn waiting_jobs_of_a_source_are_limited_across_tenants() {
    let mut waiting = Waiting::default();
    for _ in 0..LINE {
        waiting.add_of("busy", "guess", Lane::Client, source(1)).unwrap();
    }
    waiting.add_of("acme", "own", Lane::Client, source(1)).unwrap();
    assert_eq!(waiting.add_of("busy", "guess", Lane::Client, source(1)), Err(Busy));
    assert_eq!(waiting.lanes.order.lengths, [0, LINE, 0]);
    let served = waiting.served();
    assert_eq!(served.iter().position(|text| text == "own"), Some(1));
    waiting.assert_empty();
}

// [limits #19]: hashes that wait, at each of three priorities | 4096 | the newest of the tenant with most
//   gets 503
#[test]
fn full_lane_drops_newest_job_of_busiest_tenant() {
    let mut waiting = Waiting::default();
    for number in 0..u32::try_from(LANE).unwrap() - 5 {
        waiting.add_of("busy", "busy", Lane::Client, source(number)).unwrap();
    }
    for _ in 0..10 {
        // This source has the longest queue, but its tenant does not have the most jobs.
        waiting.add_of("acme", "own", Lane::Client, source(1_000_000)).unwrap();
    }
    assert_eq!(waiting.lanes.order.lengths, [0, LANE, 0]);
    assert_eq!(waiting.add_of("busy", "busy", Lane::Client, source(0)), Err(Busy));
    let served = waiting.served();
    assert_eq!((served.len(), served.iter().filter(|text| *text == "own").count()), (LANE, 10));
    waiting.assert_empty();
}
