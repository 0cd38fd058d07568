//! Tests the order in which imported hashes are checked, which depends on the durations of earlier checks.

use tokio::sync::oneshot;
use values::Secret;

use super::*;
use crate::PasswordSalt;

#[derive(Default)]
struct Queue {
    queue: ForeignQueue,
    callers: Vec<oneshot::Receiver<Result<Option<crate::SecretHash>, crate::OutOfMemory>>>,
}

impl Queue {
    /// `text` names the check in the results.
    fn add(&mut self, of: &str, number: u32, text: &str) -> Result<(), Busy> {
        let (answer, answered) = oneshot::channel();
        let (secret, salt) = (Secret::new(text.to_owned()), PasswordSalt::dummy());
        let job = HashJob { secret, salt, key: None, only_if: None };
        let source = CallerAddress::new(Some(std::net::Ipv4Addr::from(number).into()));
        self.queue.add(&TenantId::parse(of).unwrap(), job, source, answer)?;
        self.callers.push(answered);
        Ok(())
    }

    /// Runs this many checks. `took` returns the milliseconds of each.
    fn served(&mut self, count: usize, took: impl Fn(&str) -> u64) -> Vec<String> {
        let next = || {
            let (check, turn) = self.queue.next()?;
            let text = check.job.secret.expose().to_owned();
            self.queue.finish(turn, Duration::from_millis(took(&text)));
            Some(text)
        };
        std::iter::from_fn(next).take(count).collect()
    }
}

fn took(text: &str) -> u64 {
    if text.starts_with("costly") { 1_000 } else { 50 }
}

// [shared 2.1]
#[test]
fn tenants_share_time_equally_despite_costly_hashes() {
    let mut queue = Queue::default();
    for number in 0..20 {
        queue.add("globex", number, "costly").unwrap();
    }
    for number in 0..30 {
        queue.add("acme", 100, &format!("cheap {number}")).unwrap();
    }
    let served = queue.served(50, took);
    let costly: Vec<_> = (0..served.len()).filter(|at| served[*at] == "costly").collect();
    assert_eq!(costly[..3], [0, 21, 32], "the first one, then one for each second of the other tenant");
    assert_eq!(served.len(), 50);
    assert!(queue.queue.tenants.is_empty() && queue.queue.sources.is_empty());
}

#[test]
fn sources_of_a_tenant_are_served_in_turn() {
    let mut queue = Queue::default();
    for (number, text) in [(1, "a1"), (1, "a2"), (1, "a3"), (2, "b1"), (2, "b2"), (3, "c1")] {
        queue.add("acme", number, text).unwrap();
    }
    // The fourth turn goes to the oldest check, which is also the next check of its source here.
    assert_eq!(queue.served(9, took), ["a1", "b1", "c1", "a2", "b2", "a3"]);
}

#[test]
fn source_at_many_tenants_gets_one_turn() {
    let mut queue = Queue::default();
    for number in 0..OF_SOURCE {
        queue.add(&format!("tenant-{number}"), 1, "costly").unwrap();
    }
    assert_eq!(queue.served(1, took), ["costly"]);
    queue.add("acme", 2, "own").unwrap();
    assert_eq!(queue.served(1, took), ["own"]);
}

#[test]
fn users_of_a_shared_address_are_eventually_served() {
    let mut queue = Queue::default();
    queue.add("acme", 1, "own").unwrap();
    let mut rounds = 0;
    loop {
        queue.add("globex", 1, "costly").unwrap();
        queue.add("acme", 2, "other").unwrap();
        if queue.served(1, took) == ["own"] {
            break;
        }
        rounds += 1;
        assert!(rounds < 30);
    }
}

// [limits #20]: checks of imported hashes that wait | 32 of a source over all tenants, 256 of a tenant, 1024,
//   5 s; tenants in turn by seconds | 503 with `Retry-After`
#[test]
fn full_queue_refuses_only_its_own_source_and_tenant() {
    let mut queue = Queue::default();
    for _ in 0..OF_SOURCE {
        queue.add("globex", 1, "costly").unwrap();
    }
    assert_eq!(queue.add("globex", 1, "costly"), Err(Busy));
    queue.add("acme", 1, "own").expect("the other tenant has room for the same source");
    for number in 0..u32::try_from(OF_TENANT).unwrap() {
        queue.add("globex", 2 + number, "costly").unwrap();
    }
    let waiting = |queue: &Queue, of: &str| {
        queue.queue.waiting.iter().filter(|check| check.tenant.as_str() == of).count()
    };
    assert_eq!(waiting(&queue, "globex"), OF_TENANT, "the first source has lost its newest");
    for number in 0..2_000 {
        let of = format!("tenant-{}", number % 3);
        let _ = queue.add(&of, 10_000 + number, "costly");
    }
    assert_eq!(queue.queue.waiting.len(), ALL);
    queue.add("initech", 1_000_000, "own").expect("a tenant with fewer has room");
    assert_eq!((queue.queue.waiting.len(), waiting(&queue, "acme")), (ALL, 1));
}

#[test]
fn checks_of_absent_callers_are_skipped() {
    let mut queue = Queue::default();
    for _ in 0..OF_SOURCE {
        queue.add("globex", 1, "costly").unwrap();
    }
    queue.callers.truncate(2);
    queue.add("globex", 1, "own").expect("the places of callers that went away are free");
    assert_eq!(queue.queue.callers(), 3);
    assert_eq!(queue.served(9, took), ["costly", "costly", "own"]);
    assert_eq!(format!("{:?}", queue.queue.networks), format!("{:?}", NetworkAggregation::default()));
}
