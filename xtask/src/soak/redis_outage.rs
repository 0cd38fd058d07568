//! Requests while Redis is down or filled with forged values, and the time from its return until
//! the platform uses it again.

use std::thread;
use std::time::{Duration, Instant};

use super::calls::{Answer, Pace, load, percentile};
use super::program::Program;
use super::redis::Redis;
use super::tenants::{Client, client, declared};
use super::test_env::TestEnv;
use crate::workspace::Failure;

const TENANTS: u32 = 10;
const CLIENTS: u32 = 100;
/// The length of each row. Forging takes half of it.
const PHASE: Duration = Duration::from_secs(10);
/// Copies the values of tenants, clients and keys into another database, and returns their number.
const KEEP: &str = "local kept = 0
for _, name in ipairs(redis.call('KEYS', 'latchkey:*')) do
  if name:find(':client:', 1, true) or name:find(':tenant$') or name:find(':keys$') then
    kept = kept + redis.call('COPY', name, name, 'DB', 1)
  end
end
return kept";
const FLUSH: &str = "return redis.call('FLUSHDB')";
const FORGE: &str =
    "for _, name in ipairs(redis.call('KEYS', 'latchkey:*')) do redis.call('SET', name, 'nonsense') end";
/// Replays the old values.
const PUT_BACK: &str = "redis.call('SELECT', 1)
for _, name in ipairs(redis.call('KEYS', '*')) do
  redis.call('COPY', name, name, 'DB', 0, 'REPLACE')
end
redis.call('SELECT', 0)
for _, name in ipairs(redis.call('KEYS', 'latchkey:*')) do redis.call('PEXPIRE', name, 10000) end";
/// Between two forgeries.
const PAUSE: Duration = Duration::from_millis(100);

pub(super) fn measure(test_env: &TestEnv<'_>) -> Result<(), Failure> {
    let database = test_env.create_database("redis_outage")?;
    let clients: Vec<Client> =
        (0..TENANTS * CLIENTS).map(|index| client(index % TENANTS, index / TENANTS)).collect();
    let cold = |redis: &Redis<'_>| {
        let stores = format!("storage: {{ url: '{database}' }}\ncache: {{ redis_url: '{}' }}\n", redis.url());
        let mut program = Program::start(test_env, &stores, &declared(TENANTS, CLIENTS))?;
        program.await_token(&client(0, 0))?;
        Ok::<_, Failure>(program)
    };
    let start = |redis: &Redis<'_>| {
        let program = cold(redis)?;
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
        redis.signal("-STOP");
        thread::sleep(PHASE);
        Ok(())
    })?;
    row("resumed", &program, &mut || {
        lasting(&mut || {
            program.await_redis(false)?;
            redis.signal("-CONT");
            show_recovery(&program)
        })
    })?;
    drop(program);

    // A program reads from Redis only what it has not read before.
    let (program, half) = (cold(&redis)?, PHASE / 2);
    let keep = || {
        thread::sleep(half);
        redis.evaluate(KEEP)
    };
    let kept = load(program.address, &clients, Pace::Full, keep).1?;
    drop(program);
    for (name, script) in [("flushed", FLUSH), ("forged", FORGE), (&*format!("{kept} old back"), PUT_BACK)] {
        row(name, &cold(&redis)?, &mut || mischief(&redis, half, script))?;
    }
    Ok(())
}

fn return_of(redis: &mut Redis<'_>, program: &Program) -> Result<(), Failure> {
    // The program notices that Redis is dead at its next read. Otherwise it would seem to recover at once.
    program.await_redis(false)?;
    redis.start_again()?;
    show_recovery(program)
}

/// Forges values repeatedly for this long.
fn mischief(redis: &Redis<'_>, duration: Duration, script: &str) -> Result<(), Failure> {
    let began = Instant::now();
    while began.elapsed() < duration {
        redis.evaluate(script)?;
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

fn show_recovery(program: &Program) -> Result<(), Failure> {
    let began = Instant::now();
    program.await_redis(true)?;
    println!("used again after {:.0} ms", began.elapsed().as_secs_f64() * 1e3);
    Ok(())
}
