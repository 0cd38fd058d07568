//! What callers see while Redis is away, and how soon after its return it is used again.

use std::thread;
use std::time::{Duration, Instant};

use super::calls::{Answer, Client, Pace, load, percentile};
use super::house::House;
use super::program::Program;
use super::redis::Redis;
use super::tenants::{client, declared};
use crate::workspace::Failure;

/// What is fresh is so for ten seconds: in each phase every client is read anew once.
const PHASE: Duration = Duration::from_secs(10);
const TENANTS: u32 = 10;
const CLIENTS: u32 = 100;
const RECOVERY: Duration = Duration::from_secs(20);

pub(super) fn measure(house: &House<'_>) -> Result<(), Failure> {
    let mut redis = Redis::start(house)?;
    let database = house.create_database("redis_outage")?;
    let stores = format!("storage: {{ url: '{database}' }}\ncache: {{ redis_url: '{}' }}\n", redis.url());
    let mut program = Program::start(house, &stores, &declared(TENANTS, CLIENTS))?;
    program.await_token(&client(0, 0))?;
    let clients: Vec<Client> =
        (0..TENANTS * CLIENTS).map(|index| client(index % TENANTS, index / TENANTS)).collect();
    load(program.address, &clients, Pace::Full, || thread::sleep(PHASE));

    println!("\nredis: {} warm clients, 16 connections, {} s a row", clients.len(), PHASE.as_secs());
    println!("redis              tokens  failed  p50, ms  p99, ms  longest, ms");
    let phase = |name: &str, program: &Program, event: &mut dyn FnMut() -> Result<(), Failure>| {
        let (answers, outcome) = load(program.address, &clients, Pace::Full, || {
            let outcome = event();
            thread::sleep(PHASE);
            outcome
        });
        show(name, &answers);
        outcome
    };
    phase("up", &program, &mut || Ok(()))?;
    phase("killed", &program, &mut || redis.kill())?;
    phase("started again", &program, &mut || {
        refuse_unnoticed(&program)?;
        redis.start_again()?;
        show_recovery(&program)
    })?;
    phase("paused", &program, &mut || {
        redis.pause();
        Ok(())
    })?;
    phase("resumed", &program, &mut || {
        refuse_unnoticed(&program)?;
        redis.resume();
        show_recovery(&program)
    })
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

/// A program that still believes in a dead Redis would seem to be well again at once.
fn refuse_unnoticed(program: &Program) -> Result<(), Failure> {
    if program.uses_redis() {
        return Err(Failure::new("Redis is away, and the program has not noticed"));
    }
    Ok(())
}

fn show_recovery(program: &Program) -> Result<(), Failure> {
    let began = Instant::now();
    while !program.uses_redis() {
        if began.elapsed() > RECOVERY {
            return Err(Failure::new("Redis is there and not used again"));
        }
        thread::sleep(Duration::from_millis(5));
    }
    println!("used again after {:.0} ms", began.elapsed().as_secs_f64() * 1e3);
    Ok(())
}
