//! Replicas that count together: what several admit, and what each knows of the others. The exchange is in
//! memory.

use std::collections::HashMap;

use proptest::prelude::*;
use values::{Lifetime, Rate};
use zeroize::Zeroizing;

use super::*;
use crate::{CallerAddress, FailedAttempts, LeakyBuckets};

const NOW: u64 = 1_800_000;
const SPAN: Lifetime = Lifetime::from_seconds(900);
const CAPACITY: u32 = 10;

/// What Redis does, with the counts of all tenants. A count that decreases is the time when it is zero.
#[derive(Default)]
struct Exchange(HashMap<(TenantId, u64), Vec<u64>>);

impl Exchange {
    fn of(&mut self, counts: &SharedCounts, now: u64) {
        let now = now * 1_000;
        for (tenant, deltas) in counts.take(1_000, now, |_| true) {
            for delta in deltas {
                let stored = self.0.entry((tenant.clone(), delta.key)).or_default();
                if delta.is_reset {
                    stored.clear();
                }
                let total = match delta {
                    Delta { member: Some(member), .. } => {
                        stored.retain(|known| *known != member);
                        stored.push(member);
                        stored.len() as u64
                    }
                    Delta { ends_at: Some(_), amount, .. } => {
                        *stored = vec![stored.first().unwrap_or(&0) + amount];
                        stored[0]
                    }
                    Delta { amount, .. } => {
                        let before = stored.first().map_or(0, |empty_at| empty_at.saturating_sub(now));
                        let total = (before + amount).min(delta.most);
                        *stored = vec![now + total];
                        total
                    }
                };
                counts.learn(&tenant, &delta, total, now);
            }
        }
    }
}

fn counts() -> SharedCounts {
    SharedCounts::new(&Pepper::from_bytes(Zeroizing::new([1; 32])))
}

fn buckets(counts: &SharedCounts) -> LeakyBuckets {
    LeakyBuckets::new(CAPACITY, SPAN).shared(counts.limit("test", "bucket"))
}

fn tenant(id: &str) -> TenantId {
    TenantId::parse(id).unwrap()
}

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_seconds(seconds)
}

/// How many of this many attempts are accepted now.
fn fit(buckets: &LeakyBuckets, id: &str, attempts: u32, now: u64) -> u64 {
    (0..attempts).map(|_| u64::from(buckets.begin(&tenant(id), "ada", at(now)).is_some())).sum()
}

proptest! {
    /// Attempts in rounds, with an exchange after each.
    #[test]
    fn replicas_exceed_a_limit_by_one_round_each(
        rounds in prop::collection::vec((prop::array::uniform3(0..4_u32), 0..200_u64), 1..60),
    ) {
        let replicas = [(); 3].map(|()| counts());
        let shared = replicas.each_ref().map(buckets);
        let alone = [(); 3].map(|()| LeakyBuckets::new(CAPACITY, SPAN));
        let (mut exchange, mut now, mut admitted, mut largest) = (Exchange::default(), NOW, 0, [0; 3]);
        for (attempts, pause) in rounds {
            for replica in 0..3 {
                let fits = fit(&shared[replica], "acme", attempts[replica], now);
                // A replica alone would have admitted them too.
                prop_assert_eq!(fit(&alone[replica], "acme", u32::try_from(fits).unwrap(), now), fits);
                admitted += fits;
                largest[replica] = largest[replica].max(fits);
            }
            let leaked = (now - NOW) / (SPAN.seconds() / u64::from(CAPACITY));
            let bound = u64::from(CAPACITY) + leaked + 1 + largest.iter().sum::<u64>();
            prop_assert!(admitted <= bound, "{} > {}", admitted, bound);
            replicas.iter().for_each(|counts| exchange.of(counts, now));
            now += pause;
        }
    }

    #[test]
    fn without_an_exchange_a_replica_counts_alone(
        steps in prop::collection::vec((0..4_u32, 0..200_u64, any::<bool>()), 1..60),
    ) {
        let counts = counts();
        let (shared, alone) = (buckets(&counts), LeakyBuckets::new(CAPACITY, SPAN));
        let mut now = NOW;
        for (attempts, pause, is_tried) in steps {
            prop_assert_eq!(fit(&shared, "acme", attempts, now), fit(&alone, "acme", attempts, now));
            if is_tried {
                // The exchange fails, so nothing is learned.
                let _ = counts.take(1_000, now * 1_000, |_| true);
            }
            now += pause;
        }
    }
}

#[test]
fn failures_at_one_replica_count_at_the_other_for_their_tenant() {
    let [one, other] = [(); 2].map(|()| counts());
    let attempts = [&one, &other]
        .map(|counts| FailedAttempts::new(Rate::per_minute(5)).shared(counts.limit("test", "failures")));
    let mut exchange = Exchange::default();
    let source = CallerAddress::new(Some(std::net::Ipv4Addr::LOCALHOST.into()));
    let fail = |replica: usize, id: &str, now| {
        attempts[replica].begin(&tenant(id), None, &source, at(now)).fail().is_some()
    };
    assert!((0..4).all(|_| !fail(0, "acme", NOW)));
    exchange.of(&one, NOW);
    assert!(!fail(1, "acme", NOW), "the first failure here tells of the others");
    exchange.of(&other, NOW);
    assert!(fail(1, "acme", NOW) && !fail(1, "globex", NOW));
    assert!(!fail(0, "acme", NOW), "this replica has not exchanged anything since");
    exchange.of(&one, NOW);
    assert!(fail(0, "acme", NOW) && !fail(0, "globex", NOW));
    assert!(!fail(1, "acme", NOW + 60), "a new minute");
}

#[test]
fn open_and_forgiven_attempts_are_not_sent() {
    let [one, other] = [(); 2].map(|()| counts());
    let [here, there] = [&one, &other].map(buckets);
    let (mut exchange, acme) = (Exchange::default(), tenant("acme"));
    assert_eq!(fit(&there, "acme", 8, NOW), 8);
    exchange.of(&other, NOW);
    drop(here.begin(&acme, "ada", at(NOW)));
    exchange.of(&one, NOW);
    let open = here.begin(&acme, "ada", at(NOW)).unwrap();
    assert!(here.begin(&acme, "ada", at(NOW)).is_none(), "open attempts count here");
    assert!(one.take(1_000, NOW * 1_000, |_| true).is_empty());
    open.forgive();
    assert!(one.take(1_000, NOW * 1_000, |_| true).is_empty());
    for _ in 0..100 {
        here.begin(&acme, "ada", at(NOW)).unwrap().forgive();
    }
    assert_eq!(fit(&here, "acme", 100, NOW), 1);
}

#[test]
fn reset_of_a_count_reaches_the_other_replica() {
    let [one, other] = [(); 2].map(|()| counts());
    let [here, there] = [&one, &other].map(buckets);
    let mut exchange = Exchange::default();
    for id in ["acme", "globex"] {
        fit(&there, id, 8, NOW);
        fit(&here, id, 1, NOW);
    }
    exchange.of(&other, NOW);
    exchange.of(&one, NOW);
    here.clear(&tenant("acme"), "ada");
    exchange.of(&one, NOW);
    assert_eq!((fit(&here, "acme", 100, NOW), fit(&here, "globex", 100, NOW)), (10, 1));
}

#[test]
fn members_count_once_at_all_replicas() {
    let [one, other] = [(); 2].map(|()| counts());
    let mut exchange = Exchange::default();
    let (acme, span) = (tenant("acme"), (3, at(NOW + 60)));
    let limits = [&one, &other].map(|counts| counts.limit("test", "members"));
    for (limit, counts, members) in [(0, &one, [1, 2]), (1, &other, [2, 1]), (0, &one, [2, 2])] {
        for member in members {
            limits[limit].add(&acme, "source", (1, Some(member)), span, at(NOW));
        }
        exchange.of(counts, NOW);
    }
    let reached = || limits.each_ref().map(|limit| limit.is_reached(&acme, "source", span, at(NOW)));
    assert_eq!(reached(), [false, false]);
    limits[1].add(&acme, "source", (1, Some(3)), span, at(NOW));
    exchange.of(&other, NOW);
    assert_eq!(reached(), [false, true]);
    assert!(!limits[1].is_reached(&tenant("globex"), "source", span, at(NOW)));
    assert!(!limits[1].is_reached(&acme, "source", span, at(NOW + 60)), "the span is over");
}

#[test]
fn forged_total_counts_as_twice_the_limit() {
    let counts = counts();
    let buckets = buckets(&counts);
    fit(&buckets, "acme", 1, NOW);
    for (id, deltas) in counts.take(10, NOW * 1_000, |_| true) {
        counts.learn(&id, &deltas[0], u64::MAX, NOW * 1_000);
    }
    let after = |span: u64| NOW + span * SPAN.seconds();
    assert_eq!((fit(&buckets, "acme", 1, after(1)), fit(&buckets, "acme", 20, after(2))), (0, 10));
}

#[test]
fn outage_is_followed_by_what_still_counts() {
    let counts = counts();
    let buckets = buckets(&counts);
    for minute in 0..60 {
        fit(&buckets, "acme", 10, NOW + minute * 60);
    }
    let now = (NOW + 3_540) * 1_000;
    assert!(counts.take(10, now, |_| false).is_empty(), "Redis is away");
    let taken = counts.take(10, now, |_| true);
    assert!(taken[0].1[0].amount <= SPAN.seconds() * 1_000, "{taken:?}");
    fit(&buckets, "acme", 1, NOW + 3_600);
    assert_eq!(counts.take(10, now + 10_000_000, |_| true)[0].1[0].amount, 0);
}

#[test]
fn flooding_tenant_does_not_delay_counts_of_another() {
    let counts = counts();
    let limit = counts.limit("test", "members");
    let span = (3, at(NOW + 60));
    for number in 0..2 * COUNTS {
        limit.add(&tenant("acme"), number, (1, None), span, at(NOW));
    }
    limit.add(&tenant("globex"), 1, (1, None), span, at(NOW));
    let taken: HashMap<_, _> = counts.take(1_000, NOW * 1_000, |_| true).into_iter().collect();
    assert_eq!((taken[&tenant("globex")].len(), taken[&tenant("acme")].len()), (1, 500));
}

#[test]
fn digests_differ_by_installation_limit_and_tenant() {
    let other = SharedCounts::new(&Pepper::from_bytes(Zeroizing::new([2; 32])));
    let digest = |counts: &SharedCounts, part, id| counts.limit("a", part).digest(&tenant(id), "ada");
    let digests = [
        digest(&counts(), "b", "acme"),
        digest(&counts(), "c", "acme"),
        digest(&counts(), "b", "globex"),
        digest(&other, "b", "acme"),
    ];
    assert!(digests.iter().enumerate().all(|(at, digest)| !digests[..at].contains(digest)));
    assert_eq!(digests[0], digest(&counts(), "b", "acme"));
    assert_eq!(digest(&SharedCounts::default(), "b", "acme"), None);
}
