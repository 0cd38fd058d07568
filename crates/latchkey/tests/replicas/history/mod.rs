//! A thousand random changes under load at two programs, while programs and Redis are killed and paused: no
//! answer is older than the propagation bound.

mod changes;
mod declared;
mod readers;
mod record;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use testkit::Random;
use tokio::time::{MissedTickBehavior, interval, sleep};

use crate::test_env::{Replica, TestEnv, settings};
use changes::Changes;
use readers::Reader;
use record::{Answered, Credential, InjectedFault, MAX_PROPAGATION, Observation};

const SEED: u64 = 20_261_120;
const CHANGES: u64 = 1_000;
/// Enough for a thousand changes on any machine.
const LONGEST: Duration = Duration::from_secs(200);
/// A thousand changes take a minute.
const PACE: Duration = Duration::from_millis(60);
/// The pause between two faults: until the effects of the first are over, and the same time again, so that
/// the strict bound applies, too.
const QUIET: Duration = Duration::from_secs(6);
/// Many readers wait at the same time: a client that is resumed, or a secret that is declared again, gets its
/// first token within 3 s.
const READERS: u64 = 24;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_changes_kills_and_pauses_leave_no_stale_answer() {
    let (mut redis, test_env) = TestEnv::with_redis();
    let mut replicas = test_env.start_two(&settings(1)).await.map(watched);
    let credentials = Arc::new(Mutex::new(Vec::new()));
    let addresses = Arc::new(Mutex::new(replicas.each_ref().map(|replica| replica.program.address())));
    let ended = Arc::new(AtomicBool::new(false));
    let readers = (0..READERS).map(|number| {
        let (credentials, addresses) = (Arc::clone(&credentials), Arc::clone(&addresses));
        let (replica, random) = (usize::from(number % 2 == 1), Random(SEED ^ (number + 1)));
        tokio::spawn(Reader { replica, addresses, credentials, ended: Arc::clone(&ended), random }.read())
    });
    let readers: Vec<_> = readers.collect();

    let mut changes = Changes::on(&test_env, SEED, Arc::clone(&credentials)).await;
    let changing = tokio::spawn(async move {
        let mut ticks = interval(PACE);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let (began, mut made) = (Instant::now(), 0);
        while made < CHANGES && began.elapsed() < LONGEST {
            ticks.tick().await;
            changes.make().await;
            made += 1;
        }
        made
    });
    let (began, mut random, mut faults, mut round) = (Instant::now(), Random(!SEED), Vec::new(), 0);
    while !changing.is_finished() {
        sleep(QUIET).await;
        let from = Instant::now();
        let replica = random.below(2);
        let pause = Duration::from_millis(500 + random.below(1_000) as u64);
        // Each kind of fault in turn.
        let concerned = match round % 4 {
            0 => {
                redis.pause();
                sleep(pause).await;
                redis.resume();
                None
            }
            1 => {
                let [one, other] = replicas;
                let (killed, kept) = if replica == 0 { (one, other) } else { (other, one) };
                killed.program.kill();
                let anew = watched(test_env.start(&settings(1)));
                anew.open_connections().await;
                addresses.lock().unwrap()[replica] = anew.program.address();
                replicas = if replica == 0 { [anew, kept] } else { [kept, anew] };
                Some(replica)
            }
            2 => {
                redis.kill();
                sleep(pause).await;
                redis.start();
                None
            }
            _ => {
                replicas[replica].program.signal("STOP");
                sleep(pause).await;
                replicas[replica].program.signal("CONT");
                Some(replica)
            }
        };
        faults.push(InjectedFault { replica: concerned, from, to: Instant::now() });
        round += 1;
    }
    let made = changing.await.unwrap();
    let took = began.elapsed();
    sleep(Duration::from_secs(1)).await;
    ended.store(true, Ordering::Relaxed);
    let mut requested = Vec::new();
    for reader in readers {
        requested.extend(reader.await.unwrap());
    }
    assert_eq!(made, CHANGES, "in {took:?}");
    assert!(faults.len() >= 4, "each kind of fault: {faults:?}");
    eprintln!("measured: {made} changes in {took:?}, {} faults", faults.len());
    judge(&requested, &credentials.lock().unwrap(), &faults);
}

fn judge(requested: &[Observation], credentials: &[Credential], faults: &[InjectedFault]) {
    let mut violations = Vec::new();
    for requested in requested {
        let credential = &credentials[requested.credential];
        if let Some(violation) = requested.violation(&credential.turns, faults) {
            let Credential { tenant, client, turns, .. } = credential;
            violations.push(format!("{tenant}/{client}: {violation}\n{requested:?}\n{turns:?}"));
        }
    }
    let (count, all) = (violations.len(), requested.len());
    assert_eq!(violations.first(), None, "{count} of {all}\n{faults:?}");
    for answered in [Answered::Granted, Answered::Refused] {
        let all: Vec<_> = requested.iter().filter(|requested| requested.answered == answered).collect();
        let strictly = all.iter().copied().filter(|requested| requested.longest(faults) == MAX_PROPAGATION);
        let ages = strictly.filter_map(|requested| requested.age(&credentials[requested.credential].turns));
        let ages: Vec<_> = ages.collect();
        let later = |than: Duration| ages.iter().filter(|age| **age > than).count();
        eprintln!(
            "measured: {} {answered:?}, {} of them far from any fault: {} after a propagation delay, {} after more than 1 s, the longest {:?}",
            all.len(),
            ages.len(),
            later(Duration::ZERO),
            later(Duration::from_secs(1)),
            ages.iter().max()
        );
        // The bound for lost messages is weak, so the strict bound must apply to most changes.
        assert!(ages.len() > 500 && ages.len() * 3 > all.len(), "too few to mean anything");
    }
    let deferred = requested.iter().filter(|requested| requested.answered == Answered::Deferred).count();
    assert!(deferred * 50 < requested.len(), "{deferred} of {} got 503", requested.len());
    let failed =
        requested.iter().filter(|requested| matches!(requested.answered, Answered::Failed(_))).count();
    eprintln!(
        "measured: {} requests, {deferred} got 503, {failed} failed at a program that was killed or paused",
        requested.len()
    );
}

/// Adds the secrets to the canaries, which no program may print.
fn watched(replica: Replica) -> Replica {
    replica.folder.canaries.add("lk_");
    replica
}
