//! Checks that the time of the answer to a request for a recovery code does not reveal which accounts exist:
//! unknown, known and suspended accounts in mixed order. Known accounts get mail, to a folder.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use super::calls::Caller;
use super::order::mixed;
use super::program::Program;
use super::sign_in_times::{Form, HASH, KNOWN, SUSPENDED, TRIES_OF_ACCOUNT, judge, name, suspend};
use super::tenants::{Client, SECRET};
use super::test_env::TestEnv;
use crate::workspace::{Doing, Failure, run};

/// A tenant sends at most 1 000 codes an hour.
const TENANTS: [&str; 3] = ["recovered-0", "recovered-1", "recovered-2"];
const KINDS: [&str; 3] = ["unknown account", "known account", "suspended account"];
const TRIES: usize = KINDS.len() * TRIES_OF_ACCOUNT;
/// Several times the interval of the delivery.
const DELIVERY: Duration = Duration::from_secs(30);

/// Compares the times of so many requests for a code.
pub(super) fn measure(test_env: &TestEnv<'_>, tries: usize) -> Result<(), Failure> {
    let store = test_env.file("recovery-times.db").display().to_string();
    let settings = format!(
        "storage: {{ url: 'sqlite://{store}' }}\nmail: {{ from: no-reply@example.com, folder: mail }}\n"
    );
    let strategies = "strategies: { oauth2: { enabled: true }, oidc: { enabled: true } }";
    let clients = format!("clients: {{ service: {{ client_secret: {{ value: {SECRET} }} }} }}");
    let declared = TENANTS.map(|tenant| format!("  {tenant}: {{ {strategies}, {clients} }}\n")).concat();
    let mut program = Program::start(test_env, &settings, &format!("tenants:\n{declared}"))?;
    let (mut caller, mut forms) = (Caller::new(program.address), Vec::new());
    for (number, tenant) in TENANTS.into_iter().enumerate() {
        program.await_token(&Client { tenant: tenant.to_owned(), id: "service".to_owned() })?;
        let blocks: Vec<_> = (number * TRIES..tries).step_by(TENANTS.len() * TRIES).collect();
        import(test_env, tenant, &blocks)?;
        let path = format!("/api/v1/tenant/{tenant}/oauth/recover");
        forms.push((Form::read(&mut caller, &path)?, path));
    }
    let mut samples = Vec::with_capacity(tries);
    for number in mixed(tries) {
        let (form, path) = &forms[number / TRIES % TENANTS.len()];
        samples.push((number % KINDS.len(), form.send(&mut caller, [path, ""], number)?));
    }
    let (asked, began) = ((0..tries).filter(|number| number % KINDS.len() == KNOWN).count(), Instant::now());
    let count = || fs::read_dir(test_env.file("mail")).map_or(0, Iterator::count);
    while count() < asked && began.elapsed() < DELIVERY {
        thread::sleep(Duration::from_millis(100));
    }
    judge("requests for a code", KINDS, &samples)?;
    let mailed = format!("{} messages to {asked} requests for known accounts", count());
    println!("{mailed}");
    if count() == asked { Ok(()) } else { Err(Failure::new(mailed)) }
}

/// Imports the accounts of a tenant, each named by its first try. `blocks` are the first tries of all kinds.
fn import(test_env: &TestEnv<'_>, tenant: &str, blocks: &[usize]) -> Result<(), Failure> {
    let line =
        |number| format!("{{\"email\":\"{}@example.com\",\"password_hash\":\"{HASH}\"}}\n", name(number));
    let lines: String =
        blocks.iter().flat_map(|first| [first + KNOWN, first + SUSPENDED].map(line)).collect();
    let people = test_env.file("people.ndjson");
    fs::write(&people, lines).doing("write the accounts")?;
    let mut command = test_env.workspace.program(&test_env.program, &["account", "import", tenant]);
    run(command.arg(people).arg("--config").arg(test_env.file("config.yaml")))?;
    blocks.iter().try_for_each(|first| suspend(test_env, tenant, &name(first + SUSPENDED)))
}
