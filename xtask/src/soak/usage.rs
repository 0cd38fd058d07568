//! Compares counts of usage with a ledger of the caller: a million mixed requests of several clients of
//! several tenants, over several connections, then the program's numbers once it has written its counts.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::administrator::{first_token, parse};
use super::calls::Caller;
use super::program::Program;
use super::tenants::{SECRET, client, declared};
use super::test_env::TestEnv;
use crate::workspace::Failure;

const TENANTS: u32 = 4;
const CLIENTS: u32 = 3;
const CONNECTIONS: u32 = 64;
const REQUESTS: u32 = 64_000;
/// The program writes its counts every minute.
const PATIENCE: Duration = Duration::from_secs(90);
/// A text with the shape of a generated secret that is no client's.
const WRONG: &str = "lk_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA4Bow7x";

/// The tenant, the client (empty for an unregistered one), and the member of the document.
type Ledger = BTreeMap<(String, String, &'static str), u64>;

pub(super) fn measure(test_env: &TestEnv<'_>) -> Result<(), Failure> {
    let stores = format!(
        "storage: {{ url: '{}' }}\nlimits: {{ failed_attempts: 1000000000/min }}\n",
        test_env.create_database("usage")?
    );
    let tenants = declared(TENANTS, CLIENTS);
    let token = first_token(test_env, &stores, &tenants)?;
    let mut program = Program::start(test_env, &stores, &tenants)?;
    program.await_token(&client(0, 0))?;
    let address = program.address;
    let mut ledger = Ledger::from([(key(0, "client-0", "issued"), 1)]);
    let began = Instant::now();
    let ledgers: Vec<_> = thread::scope(|scope| {
        let callers: Vec<_> =
            (0..CONNECTIONS).map(|own| scope.spawn(move || load(Caller::new(address), own))).collect();
        callers.into_iter().map(thread::ScopedJoinHandle::join).collect()
    });
    for of_one in ledgers {
        for (key, count) in of_one.map_err(|_| Failure::new("a connection panicked"))?? {
            *ledger.entry(key).or_default() += count;
        }
    }
    let took = began.elapsed();
    println!("\nusage: {REQUESTS} requests of {CONNECTIONS} connections in {:.0} s", took.as_secs_f64());
    let written = Instant::now();
    let wrong = loop {
        let wrong = differences(address, &token, &ledger)?;
        if wrong.is_empty() || written.elapsed() > PATIENCE {
            break wrong;
        }
        thread::sleep(Duration::from_secs(5));
    };
    println!("equal to the ledger after {:.0} s: {}", written.elapsed().as_secs_f64(), wrong.is_empty());
    if wrong.is_empty() { Ok(()) } else { Err(Failure::new(wrong.join("\n"))) }
}

fn key(tenant: u32, client: &str, member: &'static str) -> (String, String, &'static str) {
    (format!("declared-{tenant}"), client.to_owned(), member)
}

/// Sends one connection's part of the requests, and returns what it has sent.
fn load(mut caller: Caller, own: u32) -> Result<Ledger, Failure> {
    let mut ledger = Ledger::new();
    for number in 0..REQUESTS / CONNECTIONS {
        let (tenant, client) = (number % TENANTS, format!("client-{}", (number / TENANTS + own) % CLIENTS));
        let [right, wrong] =
            [SECRET, WRONG].map(|secret| format!("client_id={client}&client_secret={secret}"));
        let unregistered = format!("client_id=made-up-{own}-{number}&client_secret={WRONG}");
        let token = "grant_type=client_credentials";
        let (endpoint, form, status, member, of) = match number / 7 % 8 {
            0 => ("token", format!("{token}&scope=read&{right}"), 200, "issued", &*client),
            1 => ("token", format!("{token}&{right}"), 200, "issued", &*client),
            2 => ("introspect", format!("token=none&{right}"), 200, "introspected", &*client),
            3 => ("revoke", format!("token=none&{right}"), 200, "revoked", &*client),
            4 => ("token", format!("{token}&scope=none&{right}"), 400, "refused", &*client),
            5 => ("token", format!("{token}&{wrong}"), 401, "refused", &*client),
            6 => ("token", format!("{token}&{unregistered}"), 401, "refused", ""),
            _ => ("token", right, 400, "refused", &*client),
        };
        let (answer, said) =
            caller.post_form(&format!("/api/v1/tenant/declared-{tenant}/oauth/{endpoint}"), &form);
        if answer.status != status {
            return Err(Failure::new(format!("{endpoint} {form}: {} {said}", answer.status)));
        }
        let has_scope = form.contains("scope=read");
        for member in [member].into_iter().chain(has_scope.then_some("read")) {
            *ledger.entry(key(tenant, of, member)).or_default() += 1;
        }
    }
    Ok(ledger)
}

/// The differences between the program's numbers and the ledger, for clients and for tenants as a whole.
fn differences(address: SocketAddr, token: &str, ledger: &Ledger) -> Result<Vec<String>, Failure> {
    let mut caller = Caller::new(address);
    let mut read = |path: &str| -> Result<Value, Failure> {
        let (answer, said) = caller.administer(token, "GET", path, "");
        match answer.status {
            200 => Ok(parse(&said)?["total"].take()),
            other => Err(Failure::new(format!("{path}: {other} {said}"))),
        }
    };
    let mut wrong = Vec::new();
    for tenant in 0..TENANTS {
        let path = format!("/api/v1/tenant/declared-{tenant}");
        for member in ["issued", "read", "introspected", "revoked", "refused"] {
            let of = |client: &str| ledger.get(&key(tenant, client, member)).copied().unwrap_or_default();
            let clients: Vec<_> = (0..CLIENTS).map(|number| format!("client-{number}")).collect();
            let all = of("") + clients.iter().map(|client| of(client)).sum::<u64>();
            let places = clients.iter().map(|client| (format!("{path}/clients/{client}/usage"), of(client)));
            for (place, expected) in places.chain([(format!("{path}/usage"), all)]) {
                let said = read(&place)?;
                let found = if member == "read" { &said["scopes_asked"]["read"] } else { &said[member] };
                let found = found.as_u64().unwrap_or_default();
                if found != expected {
                    wrong.push(format!("{place}: {member} {found}, ledger {expected}"));
                }
            }
        }
    }
    Ok(wrong)
}
