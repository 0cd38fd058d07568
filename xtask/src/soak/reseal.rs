//! Moves ten thousand keys to a new sealing key while their tenants request tokens. The first run of the
//! command is killed halfway, and a second one completes it.

use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use super::calls::{Caller, Pace, load, percentile};
use super::program::Program;
use super::tenants::{Client, SECRET};
use super::test_env::TestEnv;
use crate::workspace::{Doing, Failure, run as run_program};

const TENANTS: u32 = 10_000;
/// The time until the first run is killed.
const KILLED_AFTER: Duration = Duration::from_millis(700);
/// A higher rate would only add requests that the program serves from memory.
const PER_SECOND: u32 = 400;

pub(super) fn measure(test_env: &TestEnv<'_>) -> Result<(), Failure> {
    // A freshness of one second makes tokens reload and unseal keys during the run.
    let stores = format!(
        "storage: {{ url: 'sqlite://{}' }}\ncache: {{ l1_lifetime: 1s }}\n",
        test_env.file("reseal.db").display()
    );
    let (tenants, clients) = (declared(), clients());
    let old = format!("{{ file: '{}' }}", test_env.file("sealing.key").display());
    let new_file = test_env.file("new-sealing.key");
    let mut make = test_env
        .workspace
        .program(&test_env.program.to_string_lossy(), &["key", "new-sealing-key", "--file"]);
    run_program(make.arg(&new_file))?;
    let new = format!("{{ file: '{}' }}", new_file.display());

    let mut program = Program::start(test_env, &stores, &tenants)?;
    program.await_token(&clients[0])?;
    let began = Instant::now();
    each_once(&program, &clients)?;
    println!("\nreseal: {TENANTS} tenants, whose keys took {:.1} s to make", began.elapsed().as_secs_f64());
    drop(program);

    let both = format!("{{ sealing_key: {new}, former_sealing_keys: [{old}] }}");
    let mut program = Program::start_sealed(test_env, "config", &both, &stores, &tenants)?;
    program.await_token(&clients[0])?;
    let (answers, times) =
        load(program.address, &clients, Pace::PerSecond(PER_SECOND), || resealed(test_env));
    let failed = answers.iter().filter(|answer| answer.status != 200).count();
    let times = times?;
    println!(
        "killed after {:.1} s, begun again and done after another {:.1} s; meanwhile {} tokens, {failed} failed, p99 {:.1} ms",
        times[0].as_secs_f64(),
        times[1].as_secs_f64(),
        answers.len(),
        percentile(answers.iter().map(|answer| answer.took), 99)
    );
    drop(program);

    let only_new = format!("{{ sealing_key: {new} }}");
    let mut program = Program::start_sealed(test_env, "config", &only_new, &stores, &tenants)?;
    program.await_token(&clients[0])?;
    each_once(&program, &clients)?;
    println!("with the new sealing key alone: {TENANTS} tokens, 0 failed");
    if failed == 0 { Ok(()) } else { Err(Failure::new(format!("{failed} requests failed meanwhile"))) }
}

/// The times of the killed and the completed run.
fn resealed(test_env: &TestEnv<'_>) -> Result<[Duration; 2], Failure> {
    let program = test_env.program.to_string_lossy();
    let config = test_env.file("config.yaml");
    let command = || {
        let mut command = test_env.workspace.program(&program, &["key", "reseal", "--config"]);
        command.arg(&config);
        command
    };
    let began = Instant::now();
    let mut first = command().stdout(Stdio::null()).spawn().doing("start the command")?;
    thread::sleep(KILLED_AFTER);
    if first.try_wait().doing("look after the command")?.is_some() {
        println!("the first attempt was done before it could be killed");
    }
    drop(first.kill());
    drop(first.wait());
    let killed = began.elapsed();
    let began = Instant::now();
    run_program(&mut command())?;
    Ok([killed, began.elapsed()])
}

fn each_once(program: &Program, clients: &[Client]) -> Result<(), Failure> {
    let mut caller = Caller::new(program.address);
    for client in clients {
        let answer = caller.token(client);
        if answer.status != 200 {
            return Err(Failure::new(format!("no token for {}, but {}", client.tenant, answer.status)));
        }
    }
    Ok(())
}

fn clients() -> Vec<Client> {
    (0..TENANTS).map(|number| Client { tenant: format!("sealed-{number}"), id: "svc".to_owned() }).collect()
}

fn declared() -> String {
    let tenant = |number: u32| {
        format!(
            "  sealed-{number}: {{ strategies: {{ oauth2: {{ enabled: true }} }}, signing: {{ algorithm: ES256 }}, \
             clients: {{ svc: {{ client_secret: {{ value: {SECRET} }} }} }} }}\n"
        )
    };
    format!("tenants:\n{}", (0..TENANTS).map(tenant).collect::<String>())
}
