//! Requests while PostgreSQL restarts without notice, and the time from its first accepted connection
//! until the platform uses it.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::calls::{Answer, Caller, Pace, load, percentile};
use super::postgres::{Postgres, Restarted};
use super::program::Program;
use super::tenants::{Client, client, declared};
use super::test_env::TestEnv;
use crate::workspace::Failure;

const ROUNDS: u32 = 3;
const WARM: u32 = 10;
const COLD: u32 = 2_000;
const SETTLE: Duration = Duration::from_secs(1);
const AWAY: Duration = Duration::from_millis(500);
/// The report shows longer recoveries as not served.
const RECOVERY: Duration = Duration::from_secs(8);
const COLD_PAUSE: Duration = Duration::from_millis(20);

/// Clients that are not cached, in sequence.
type ColdClients = std::ops::Range<u32>;

/// Returns the server that runs at the end.
pub(super) fn measure(test_env: &TestEnv<'_>) -> Result<Option<Restarted>, Failure> {
    let stores = format!("storage: {{ url: '{}' }}\n", test_env.create_database("postgres_outage")?);
    let mut program = Program::start(test_env, &stores, &declared(1, WARM + COLD))?;
    let warm: Vec<Client> = (0..WARM).map(|number| client(0, number)).collect();
    program.await_token(&warm[0])?;
    load(program.address, &warm, Pace::Full, || thread::sleep(SETTLE));
    let postgres = Postgres::from_test_env(test_env)?;
    let (mut restarted, mut cold) = (None, WARM..WARM + COLD);

    println!(
        "\npostgres: ended without notice, {} ms away; cold: one new client after the other",
        AWAY.as_millis()
    );
    println!(
        "load        warm tokens  failed  p99, ms  cold 200  503 with Retry-After  others  longest, ms  \
         accepts after, ms  serves cold after, ms"
    );
    for (name, pace) in [("1 000/s", Pace::PerSecond(1_000)), ("full", Pace::Full)] {
        for _ in 0..ROUNDS {
            let during = || restart(&postgres, &mut restarted, &program, &mut cold);
            let (answers, outcome) = load(program.address, &warm, pace, during);
            outcome?.show(name, &answers);
        }
    }
    Ok(restarted)
}

/// The outcomes of the requests for cold clients during one restart, with the time of each answer.
struct Outage {
    began: Instant,
    starts: Instant,
    accepts: Instant,
    cold: Vec<(Instant, Answer)>,
}

fn restart(
    postgres: &Postgres<'_>,
    restarted: &mut Option<Restarted>,
    program: &Program,
    clients: &mut ColdClients,
) -> Result<Outage, Failure> {
    let (is_over, answers) = (AtomicBool::new(false), Mutex::new(Vec::new()));
    let times = thread::scope(|scope| {
        scope.spawn(|| {
            let mut caller = Caller::new(program.address);
            while let Some(number) = clients.next().filter(|_| !is_over.load(Ordering::Relaxed)) {
                let answer = caller.token(&client(0, number));
                let Ok(mut answers) = answers.lock() else { return };
                answers.push((Instant::now(), answer));
                drop(answers);
                thread::sleep(COLD_PAUSE);
            }
        });
        let times = perform(postgres, restarted, |since| {
            let Ok(answers) = answers.lock() else { return true };
            answers.iter().any(|(at, answer)| *at > since && answer.status == 200)
        });
        is_over.store(true, Ordering::Relaxed);
        times
    });
    let (began, starts, accepts) = times?;
    Ok(Outage { began, starts, accepts, cold: answers.into_inner().unwrap_or_default() })
}

/// Stops the server, restarts it and waits until the platform uses it.
fn perform(
    postgres: &Postgres<'_>,
    restarted: &mut Option<Restarted>,
    is_used_since: impl Fn(Instant) -> bool,
) -> Result<(Instant, Instant, Instant), Failure> {
    thread::sleep(SETTLE);
    let began = Instant::now();
    postgres.stop()?;
    drop(restarted.take());
    thread::sleep(AWAY);
    let starts = Instant::now();
    *restarted = Some(postgres.start()?);
    let accepts = Instant::now();
    while !is_used_since(starts) && accepts.elapsed() < RECOVERY {
        thread::sleep(COLD_PAUSE);
    }
    thread::sleep(SETTLE);
    Ok((began, starts, accepts))
}

impl Outage {
    fn show(&self, name: &str, warm: &[Answer]) {
        let served = self.cold.iter().find(|(at, answer)| *at > self.starts && answer.status == 200);
        let since_accepting =
            |(at, _): &(Instant, Answer)| at.saturating_duration_since(self.accepts).as_secs_f64();
        let served = served.map_or(f64::NAN, since_accepting) * 1e3;
        let cold = || self.cold.iter().map(|(_, answer)| answer);
        let answered = cold().filter(|answer| answer.status == 200).count();
        let clean = cold().filter(|answer| answer.status == 503 && answer.has_retry_after).count();
        println!(
            "{name:<10} {:>12} {:>7} {:>8.2} {answered:>9} {clean:>21} {:>7} {:>12.0} {:>18.0} {served:>22.0}",
            warm.len(),
            warm.iter().filter(|answer| answer.status != 200).count(),
            percentile(warm.iter().map(|answer| answer.took), 99),
            self.cold.len() - answered - clean,
            percentile(cold().map(|answer| answer.took), 100),
            self.accepts.saturating_duration_since(self.began).as_secs_f64() * 1e3,
        );
    }
}
