//! The statements of a replica while many clients are active.

use std::thread;
use std::time::Duration;

use super::calls::{Caller, Pace, load, percentile};
use super::program::Program;
use super::tenants::{client, declared};
use super::test_env::TestEnv;
use crate::workspace::Failure;

const TENANTS: u32 = 150;
const CLIENTS: u32 = 4;
const RATES: [u32; 2] = [60, 1_000];
/// Rows that are read while a program starts are read again once.
const WARM_UP: Duration = Duration::from_secs(30);
const MEASURED: Duration = Duration::from_secs(20);
const DATABASE: &str = "freshness";

pub(super) fn measure(test_env: &TestEnv<'_>) -> Result<(), Failure> {
    println!("\nfreshness: {TENANTS} tenants with {CLIENTS} active clients each, on PostgreSQL");
    println!("tokens/s  statements/s  transactions/s of PostgreSQL  p99, ms  other than 200");
    let stores = format!("storage: {{ url: '{}' }}\n", test_env.create_database(DATABASE)?);
    let mut program = Program::start(test_env, &stores, &declared(TENANTS, CLIENTS))?;
    program.await_token(&client(0, 0))?;
    let clients: Vec<_> =
        (0..TENANTS).flat_map(|tenant| (0..CLIENTS).map(move |number| client(tenant, number))).collect();
    for rate in RATES {
        let counted = || Ok::<_, Failure>((statements(&program)?, transactions(test_env)?));
        let measured = || {
            thread::sleep(WARM_UP);
            let before = counted()?;
            thread::sleep(MEASURED);
            let after = counted()?;
            Ok::<_, Failure>((after.0 - before.0, after.1 - before.1))
        };
        let (answers, measured) = load(program.address, &clients, Pace::PerSecond(rate), measured);
        let (statements, transactions) = measured?;
        let each_second = |count: u64| count as f64 / MEASURED.as_secs_f64();
        let p99 = percentile(answers.iter().map(|answer| answer.took), 99);
        let others = answers.iter().filter(|answer| answer.status != 200).count();
        println!(
            "{rate:>8}  {:>12.1}  {:>28.1}  {p99:>7.1}  {others:>14}",
            each_second(statements),
            each_second(transactions)
        );
    }
    Ok(())
}

/// Those of the program, without those of its log of changes.
fn statements(program: &Program) -> Result<u64, Failure> {
    let metrics = Caller::new(program.address).get("/metrics");
    let line = metrics.lines().find_map(|line| line.strip_prefix("latchkey_store_statements_total "));
    number(line.unwrap_or_default())
}

/// All of the database, with those of the log of changes.
fn transactions(test_env: &TestEnv<'_>) -> Result<u64, Failure> {
    let count = "SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = current_database()";
    number(&test_env.sql(DATABASE, count)?)
}

fn number(text: &str) -> Result<u64, Failure> {
    text.parse().map_err(|_| Failure::new(format!("no number: {text}")))
}
