//! Requests while Redis is down or filled with forged values, and the time from its return until
//! the platform uses it again.

use std::io;
use std::thread;
use std::time::{Duration, Instant};

use super::calls::{Answer, Pace, load, percentile};
use super::program::Program;
use super::redis::Redis;
use super::redis_connection::Connection;
use super::tenants::{Client, client, declared};
use super::test_env::TestEnv;
use crate::workspace::{Doing, Failure};

const TENANTS: u32 = 10;
const CLIENTS: u32 = 100;
const RECOVERY: Duration = Duration::from_secs(20);
/// The length of each row. Forging takes half of it.
const PHASE: Duration = Duration::from_secs(10);
/// Between two forgeries.
const PAUSE: Duration = Duration::from_millis(100);

pub(super) fn measure(test_env: &TestEnv<'_>) -> Result<(), Failure> {
    let database = test_env.create_database("redis_outage")?;
    let clients: Vec<Client> =
        (0..TENANTS * CLIENTS).map(|index| client(index % TENANTS, index / TENANTS)).collect();
    let start = |redis: &Redis<'_>| {
        let stores = format!("storage: {{ url: '{database}' }}\ncache: {{ redis_url: '{}' }}\n", redis.url());
        let mut program = Program::start(test_env, &stores, &declared(TENANTS, CLIENTS))?;
        program.await_token(&client(0, 0))?;
        load(program.address, &clients, Pace::Full, || thread::sleep(PHASE));
        Ok::<_, Failure>(program)
    };
    let seconds = PHASE.as_secs_f64();
    println!("\nredis: {} warm clients, 16 connections, {seconds} s a row", clients.len());
    println!("redis              tokens  failed  p50, ms  p99, ms  longest, ms");
    let row = |name: &str, program: &Program, event: &mut dyn FnMut() -> Result<(), Failure>| {
        let (answers, outcome) = load(program.address, &clients, Pace::Full, event);
        show(name, &answers);
        outcome
    };
    let lasting = |event: &mut dyn FnMut() -> Result<(), Failure>| {
        let outcome = event();
        thread::sleep(PHASE);
        outcome
    };

    let mut redis = Redis::absent(test_env)?;
    let program = start(&redis)?;
    row("absent at start", &program, &mut || lasting(&mut || Ok(())))?;
    row("started later", &program, &mut || lasting(&mut || return_of(&mut redis, &program)))?;
    drop(program);

    let program = start(&redis)?;
    row("up", &program, &mut || lasting(&mut || Ok(())))?;
    row("killed", &program, &mut || lasting(&mut || redis.kill()))?;
    row("started again", &program, &mut || lasting(&mut || return_of(&mut redis, &program)))?;
    row("paused", &program, &mut || {
        redis.pause();
        thread::sleep(PHASE);
        Ok(())
    })?;
    row("resumed", &program, &mut || {
        lasting(&mut || {
            wait_until_missed(&program)?;
            redis.resume();
            show_recovery(&program)
        })
    })?;
    let former = redis.connect()?.values().doing("read Redis")?;
    let half = PHASE / 2;
    row("flushed", &program, &mut || mischief(&redis, half, Connection::flush))?;
    row("forged", &program, &mut || mischief(&redis, half, Connection::forge))?;
    let name = format!("{} old back", former.len());
    row(&name, &program, &mut || mischief(&redis, half, |redis| redis.put_back(&former)))
}

fn return_of(redis: &mut Redis<'_>, program: &Program) -> Result<(), Failure> {
    wait_until_missed(program)?;
    redis.start_again()?;
    show_recovery(program)
}

/// Forges values repeatedly for this long.
fn mischief(
    redis: &Redis<'_>,
    duration: Duration,
    act: impl Fn(&mut Connection) -> io::Result<()>,
) -> Result<(), Failure> {
    let (began, mut connection) = (Instant::now(), redis.connect()?);
    while began.elapsed() < duration {
        act(&mut connection).doing("do mischief in Redis")?;
        thread::sleep(PAUSE);
    }
    Ok(())
}

fn show(name: &str, answers: &[Answer]) {
    let times = || answers.iter().map(|answer| answer.took);
    println!(
        "{name:<16} {:>8} {:>7} {:>8.2} {:>8.2} {:>12.2}",
        answers.len(),
        answers.iter().filter(|answer| answer.status != 200).count(),
        percentile(times(), 50),
        percentile(times(), 99),
        percentile(times(), 100),
    );
}

/// Waits until the program has noticed that Redis is dead, which it does at its next read. Otherwise it would
/// seem to recover at once.
fn wait_until_missed(program: &Program) -> Result<(), Failure> {
    wait_until(program, false, "Redis is away, and the program has not noticed")
}

fn show_recovery(program: &Program) -> Result<(), Failure> {
    let began = Instant::now();
    wait_until(program, true, "Redis is there and not used again")?;
    println!("used again after {:.0} ms", began.elapsed().as_secs_f64() * 1e3);
    Ok(())
}

/// Waits while the load runs.
fn wait_until(program: &Program, is_used: bool, otherwise: &str) -> Result<(), Failure> {
    let began = Instant::now();
    while program.uses_redis() != is_used {
        if began.elapsed() > RECOVERY {
            return Err(Failure::new(otherwise));
        }
        thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}
