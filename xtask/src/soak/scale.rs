//! The start time, cold and warm tokens, and the memory as the store grows.

use std::time::Instant;

use super::calls::{Caller, percentile};
use super::program::Program;
use super::tenants::{client, declared, fill};
use super::test_env::TestEnv;
use crate::workspace::Failure;

const DECLARED: u32 = 10;
const CLIENTS: u32 = 10;
const STARTS: usize = 5;
const WARM: usize = 500;

pub(super) fn measure(test_env: &TestEnv<'_>, sizes: &[u32]) -> Result<(), Failure> {
    let stores = format!("storage: {{ url: '{}' }}\n", test_env.create_database("scale")?);
    let tenants = declared(DECLARED, CLIENTS);
    // Generate the keys now, so that no row of the table includes that time.
    let mut program = Program::start(test_env, &stores, &tenants)?;
    program.await_token(&client(0, 0))?;
    let address = program.address;
    for tenant in 1..DECLARED {
        answered(&mut Caller::new(address), tenant, 0)?;
    }
    drop(program);

    println!(
        "\nscale: {CLIENTS} clients each; medians of {STARTS} starts, 9 tenants, 50 clients, {WARM} tokens; ms"
    );
    println!(
        "tenants  clients   start  cold tenant  cold client   warm    MiB     rows made in, s   store, MiB"
    );
    let mut held = DECLARED;
    for &size in sizes {
        let began = Instant::now();
        if size > held {
            test_env.sql("scale", &fill(held + 1, size))?;
            held = size;
        }
        let filled = began.elapsed();
        let clients = test_env.sql("scale", "SELECT count(*) FROM clients")?;
        let bytes = test_env.sql("scale", "SELECT pg_database_size('scale') / 1048576")?;
        let mut starts = Vec::new();
        for _ in 1..STARTS {
            starts.push(Program::start(test_env, &stores, &tenants)?.await_token(&client(0, 0))?);
        }
        let mut program = Program::start(test_env, &stores, &tenants)?;
        starts.push(program.await_token(&client(0, 0))?);

        let mut caller = Caller::new(program.address);
        let caller = &mut caller;
        let mut times = |calls: &mut dyn Iterator<Item = (u32, u32)>| {
            calls.map(|(tenant, number)| answered(caller, tenant, number)).collect::<Result<Vec<_>, _>>()
        };
        let cold_tenants = times(&mut (1..DECLARED).map(|tenant| (tenant, 0)))?;
        let cold_clients = times(&mut (0..50).map(|index| (index % DECLARED, 1 + index / DECLARED)))?;
        let warm = times(&mut std::iter::repeat_n((0, 0), WARM))?;
        println!(
            "{held:>7} {clients:>8} {:>7.0} {:>12.2} {:>12.2} {:>6.2} {:>6.1} {:>19.1} {bytes:>12}",
            percentile(starts.into_iter(), 50),
            percentile(cold_tenants.into_iter(), 50),
            percentile(cold_clients.into_iter(), 50),
            percentile(warm.into_iter(), 50),
            program.memory(),
            filled.as_secs_f64(),
        );
    }
    Ok(())
}

fn answered(caller: &mut Caller, tenant: u32, number: u32) -> Result<std::time::Duration, Failure> {
    let answer = caller.token(&client(tenant, number));
    if answer.status == 200 {
        return Ok(answer.took);
    }
    Err(Failure::new(format!("no token for client {number} of tenant {tenant}, but {}", answer.status)))
}
