//! One run: random steps for a while, then a time without faults. At the end all replicas must give the same
//! answers.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use administration::store::KeySchedule as _;
use tokio::time::sleep;
use values::Timestamp;

use super::changes::{Question, REVOKES_A_TOKEN};
use super::defect::Defect;
use super::faults::Fault;
use super::model::FRESH;
use super::replica::Replica;
use super::world::{World, at_once};

/// How long faults are injected.
const LASTS: Duration = Duration::from_secs(35);
const LONGEST_FAULT: usize = 20_000;
/// The longest lag of a standby, and how long the feed of a replica cannot reach the standby afterwards. In
/// milliseconds.
const LONGEST_LAG: usize = 10_000;
const LONGEST_DETOUR: usize = 8_000;
pub(super) const LONGEST_STOP: usize = 45_000;
/// Long enough without faults: a lease for rotation lasts 15 s, and a row is fresh for 10 s.
const CONVERGES: Duration = Duration::from_secs(20);
/// When the answers that a change affects are checked, in milliseconds: immediately, and after the promised
/// time for notifications. They are checked once more after the promised time for a lost notification.
const ASKED_AFTER: [u64; 2] = [0, 1_050];

pub(super) struct Ended {
    pub(super) history: Vec<String>,
    pub(super) violation: Option<String>,
}

pub(super) async fn run(seed: u64, defect: Option<Defect>) -> Ended {
    let world = World::new(seed, defect);
    for replica in 0..2 {
        Replica::start(&world, replica);
    }
    sleep(Duration::from_secs(1)).await;
    while world.now() < LASTS && world.violation().is_none() {
        sleep(world.millis(600)).await;
        step(&world);
    }
    if world.violation().is_none() {
        world.has_no_more_faults.store(true, Ordering::Relaxed);
        for (replica, fault) in (0..2).flat_map(|replica| Fault::ALL.map(|fault| (replica, fault))) {
            world.end(replica, fault);
        }
        sleep(CONVERGES).await;
        converge(&world).await;
    }
    for number in 0..2 {
        if let Some(replica) = world.replica(number) {
            replica.kill();
        }
    }
    Ended { history: world.history(), violation: world.violation() }
}

fn step(world: &Arc<World>) {
    let Some(replica) = world.replica(world.below(2)) else { return };
    match world.below(100) {
        0..55 => {
            let question = draw_question(world);
            ask_later(&replica, question, Duration::ZERO);
        }
        55..80 => {
            replica.spawn(change(Arc::clone(&replica), world.below(100)));
        }
        80..92 => {
            for tenant in 0..3 {
                ask_later(&replica, Question::Keys(tenant), world.millis(300));
            }
        }
        _ => begin_fault(world, &replica),
    }
}

async fn change(replica: Arc<Replica>, drawn: usize) {
    let world = &replica.world;
    for question in replica.change(drawn).await {
        for number in 0..2 {
            for after in ASKED_AFTER {
                ask_at(world, number, question.clone(), Duration::from_millis(after));
            }
            ask_at(world, number, question.clone(), FRESH + world.millis(2_000));
        }
    }
}

fn draw_question(world: &Arc<World>) -> Question {
    let (tenant, kind) = (world.below(3), world.below(10));
    let directory = world.directory();
    let known = &directory.tenants[tenant];
    if kind < 6 || directory.tokens.is_empty() {
        // The next client may not exist yet.
        let client = world.below((known.created + 1).min(known.clients.len()));
        let secrets = known.clients[client].1.len();
        return Question::Token(tenant, client, world.below(secrets.max(1)));
    }
    Question::Introspection(Box::new(directory.tokens[world.below(directory.tokens.len())].clone()))
}

fn ask_at(world: &Arc<World>, number: usize, question: Question, after: Duration) {
    let world = Arc::clone(world);
    tokio::spawn(async move {
        sleep(after).await;
        if let Some(replica) = world.replica(number) {
            ask_later(&replica, question, Duration::ZERO);
        }
    });
}

fn ask_later(replica: &Arc<Replica>, question: Question, after: Duration) {
    let asked = Arc::clone(replica);
    replica.spawn(async move {
        // The first poll of a timer never completes it.
        if !after.is_zero() {
            sleep(after).await;
        }
        asked.ask(&question).await;
    });
}

fn begin_fault(world: &Arc<World>, replica: &Arc<Replica>) {
    let (number, fault) = (replica.number, Fault::ALL[world.below(Fault::ALL.len())]);
    if world.holds(number, fault) {
        return;
    }
    match fault {
        Fault::Restarted => {
            world.begin(number, fault);
            replica.kill();
            world.end(number, Fault::Stopped);
            world.end(number, fault);
            Replica::start(world, number);
        }
        Fault::HistoryIsLost => lose_history(world),
        Fault::Stopped => world.begin_for_a_while(number, fault, LONGEST_STOP),
        _ => world.begin_for_a_while(number, fault, LONGEST_FAULT),
    }
}

/// Calls of a replica may reach the new store before its feed does. Soon the new store has as many changes as
/// were lost.
fn lose_history(world: &Arc<World>) {
    let since = world.now();
    let standby = world.truth.standby(&format!("standby-{}", since.as_millis()));
    (0..2).for_each(|replica| world.begin(replica, Fault::HistoryIsLost));
    let (world, lags) = (Arc::clone(world), world.millis(LONGEST_LAG));
    tokio::spawn(async move {
        sleep(lags).await;
        if !world.holds(0, Fault::HistoryIsLost) {
            return;
        }
        let lost = world.promote(standby, since);
        for replica in 0..2 {
            world.end(replica, Fault::HistoryIsLost);
            if world.below(2) == 0 && !world.holds(replica, Fault::FeedRefuses) {
                world.begin_for_a_while(replica, Fault::FeedRefuses, LONGEST_DETOUR);
            }
        }
        if let Some(replica) = world.replica(world.below(2)) {
            let revoking = Arc::clone(&replica);
            replica.spawn(async move {
                for _ in 0..=lost {
                    change(Arc::clone(&revoking), REVOKES_A_TOKEN).await;
                }
            });
        }
    });
}

/// Without faults every replica answers, each answer is correct, and no key is overdue.
async fn converge(world: &Arc<World>) {
    for number in 0..2 {
        let Some(replica) = world.replica(number) else {
            return world.violated(format!("replica {number} does not serve"));
        };
        let mut questions = Vec::new();
        for tenant in 0..3 {
            questions.push(Question::Keys(tenant));
            let directory = world.directory();
            for (client, (_, secrets)) in directory.tenants[tenant].clients.iter().enumerate() {
                questions.extend((0..secrets.len()).map(|secret| Question::Token(tenant, client, secret)));
            }
        }
        let tokens = world.directory().tokens.clone();
        questions
            .extend(tokens.into_iter().rev().take(8).map(|token| Question::Introspection(Box::new(token))));
        for question in questions {
            replica.ask(&question).await;
        }
    }
    let overdue = Timestamp::from_seconds(world.clock(0).seconds() - CONVERGES.as_secs());
    let due = at_once(world.truth.find_due_keys(overdue, 10));
    if !due.is_empty() {
        world.violated(format!("the keys of {due:?} have been due for {CONVERGES:?}"));
    }
}
