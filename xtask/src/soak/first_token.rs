//! The latency of a new tenant's first token, which generates its key: with a pregenerated RSA key, without
//! one, and with a key that is cheap to generate. Also the memory of a loaded key.

use std::thread;
use std::time::Duration;

use super::administration::first_token;
use super::calls::{Answer, Caller, percentile};
use super::program::Program;
use super::tenants::{SECRET, client, declared};
use super::test_env::TestEnv;
use crate::workspace::Failure;

/// Tenants in each row.
const TENANTS: u32 = 100;
/// Longer than generating two RSA keys takes on the program's one core, so that the pool is full again.
const REFILLED: Duration = Duration::from_millis(1_000);
/// Number of tenants whose keys are loaded.
const LOADED: u32 = 300;

struct Row {
    name: &'static str,
    algorithm: &'static str,
    pause: Duration,
}

const ROWS: [Row; 3] = [
    Row { name: "RS256, from the pool", algorithm: "RS256", pause: REFILLED },
    Row { name: "RS256, one after the other without a pause", algorithm: "RS256", pause: Duration::ZERO },
    Row { name: "ES256", algorithm: "ES256", pause: Duration::ZERO },
];

/// The kind of token request.
#[derive(Clone, Copy)]
enum RequestKind {
    /// A valid request.
    Token,
    /// A request whose scope is refused: it loads tenant and client, but no keys.
    UnknownScope,
}

pub(super) fn measure(test_env: &TestEnv<'_>) -> Result<(), Failure> {
    let stores = format!("storage: {{ url: 'sqlite://{}' }}\n", test_env.file("first-token.db").display());
    let tenants = declared(1, 1);
    let token = first_token(test_env, &stores, &tenants)?;
    println!("\nfirst-token: {TENANTS} new tenants a row, ms");
    println!("{:<45} {:>8} {:>8} {:>8} {:>8}", "first token", "p50", "p99", "longest", "second");
    let mut program = Program::start(test_env, &stores, &tenants)?;
    program.await_token(&client(0, 0))?;
    let mut caller = Caller::new(program.address);
    for (number, row) in ROWS.iter().enumerate() {
        let ids: Vec<_> = (0..TENANTS).map(|tenant| format!("new-{number}-{tenant}")).collect();
        for id in &ids {
            create(&mut caller, &token, id, row.algorithm)?;
        }
        let (mut first, mut second) = (Vec::new(), Vec::new());
        for id in &ids {
            thread::sleep(row.pause);
            first.push(send(&mut caller, id, RequestKind::Token)?.took);
        }
        for id in &ids {
            second.push(send(&mut caller, id, RequestKind::Token)?.took);
        }
        println!(
            "{:<45} {:>8.2} {:>8.2} {:>8.2} {:>8.2}",
            row.name,
            percentile(first.iter().copied(), 50),
            percentile(first.iter().copied(), 99),
            percentile(first.iter().copied(), 100),
            percentile(second.into_iter(), 50)
        );
    }
    println!("\nmemory of a loaded key: {LOADED} tenants each, KiB resident");
    for algorithm in ["RS256", "ES256"] {
        let ids: Vec<_> =
            (0..LOADED).map(|tenant| format!("loaded-{algorithm}-{tenant}").to_lowercase()).collect();
        for id in &ids {
            create(&mut caller, &token, id, algorithm)?;
            send(&mut caller, id, RequestKind::Token)?;
        }
    }
    drop(program);
    for algorithm in ["RS256", "ES256"] {
        let mut program = Program::start(test_env, &stores, &tenants)?;
        program.await_token(&client(0, 0))?;
        // Wait until the pool is full before comparing.
        thread::sleep(REFILLED);
        let mut caller = Caller::new(program.address);
        let mut memory = |kind| {
            for _ in 0..2 {
                for tenant in 0..LOADED {
                    send(&mut caller, &format!("loaded-{algorithm}-{tenant}").to_lowercase(), kind)?;
                }
            }
            Ok::<_, Failure>(program.memory() * 1024.0)
        };
        let idle = program.memory() * 1024.0;
        let without = memory(RequestKind::UnknownScope)?;
        let with = memory(RequestKind::Token)?;
        let each = |more: f64| more / f64::from(LOADED);
        println!(
            "{algorithm}: {idle:.0} before, {:.1} for each tenant and client, {:.1} more for each key",
            each(without - idle),
            each(with - without)
        );
    }
    Ok(())
}

fn create(caller: &mut Caller, token: &str, id: &str, algorithm: &str) -> Result<(), Failure> {
    let body = format!(
        r#"{{"id":"{id}","signing":{{"algorithm":"{algorithm}"}},"client":{{"client_id":"svc","client_secret":"{SECRET}"}}}}"#
    );
    let (answer, said) = caller.administer(token, "POST", "/api/v1/admin/tenants", &body);
    if answer.status == 201 { Ok(()) } else { Err(Failure::new(format!("{id}: {} {said}", answer.status))) }
}

fn send(caller: &mut Caller, id: &str, kind: RequestKind) -> Result<Answer, Failure> {
    let (expected, scope) = match kind {
        RequestKind::Token => (200, ""),
        RequestKind::UnknownScope => (400, "&scope=unknown"),
    };
    let form = format!("grant_type=client_credentials&client_id=svc&client_secret={SECRET}{scope}");
    let (answer, said) = caller.post_form(&format!("/api/v1/tenant/{id}/oauth/token"), &form);
    if answer.status == expected {
        return Ok(answer);
    }
    Err(Failure::new(format!("{id}: {} {said}", answer.status)))
}
