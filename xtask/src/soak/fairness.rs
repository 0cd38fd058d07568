//! One tenant spends tenfold its share of what tenants share while another does its ordinary work: the p99 of that work, beside the p99 while
//! nothing else goes on, and its failures, of which there may be none.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use super::calls::{Answer, Caller, Client, Pace, load, percentile};
use super::program::Program;
use super::tenants::{SECRET, client, declared};
use super::test_env::TestEnv;
use crate::workspace::Failure;

/// The tenant that does its ordinary work, and the one that floods.
const TENANTS: u32 = 2;
const FLOODING: u32 = 1;
const CLIENTS: u32 = 8;
/// Of ordinary work: far below what a worker can answer.
const PER_SECOND: u32 = 100;
/// Connections of the flood, each with the next request as soon as it has the answer: tenfold those of the ordinary work's share of a worker.
const CONNECTIONS: u32 = 160;
const WARM_UP: Duration = Duration::from_secs(2);
const LENGTH: Duration = Duration::from_secs(10);
/// A p99 below this multiple of the quiet one is fair.
const MOST: f64 = 3.0;

/// A flood, and the path and the form of one of its requests.
type Flood = (&'static str, fn(&Client, usize) -> (String, String));

const FLOODS: [Flood; 5] = [
    ("tokens (admission)", |client, _| (path(client, "token"), token_form(&client.id, SECRET))),
    ("wrong chosen secrets (hash threads)", |client, number| {
        (path(client, "token"), token_form(&client.id, &format!("wrong-{number}")))
    }),
    ("unknown clients (look-ups)", |client, number| {
        (path(client, "token"), token_form(&format!("nobody-{number}"), SECRET))
    }),
    ("introspections", |client, _| {
        let credentials = format!("client_id={}&client_secret={SECRET}", client.id);
        (path(client, "introspect"), format!("token=unknown&{credentials}"))
    }),
    ("revocations of unknown tokens", |client, number| {
        let credentials = format!("client_id={}&client_secret={SECRET}", client.id);
        (path(client, "revoke"), format!("token=unknown-{number}&{credentials}"))
    }),
];

pub(super) fn measure(test_env: &TestEnv<'_>) -> Result<(), Failure> {
    let stores = format!("storage: {{ url: 'sqlite://{}' }}\n", test_env.file("fairness.db").display());
    let mut program = Program::start(test_env, &stores, &declared(TENANTS, CLIENTS))?;
    program.await_token(&client(0, 0))?;
    let quiet_clients: Vec<_> = (0..CLIENTS).map(|number| client(0, number)).collect();
    let ordinary = |meanwhile: &dyn Fn()| {
        load(program.address, &quiet_clients, Pace::PerSecond(PER_SECOND), meanwhile).0
    };
    ordinary(&|| thread::sleep(WARM_UP));
    let quiet = p99(&ordinary(&|| thread::sleep(LENGTH)));
    println!(
        "\nfairness: tokens of one tenant, {PER_SECOND} a second, while another floods over {CONNECTIONS} connections"
    );
    println!(
        "{:<48} {:>10} {:>8} {:>9} {:>7} {:>7}",
        "flood", "requests", "tokens", "p99, ms", "/ quiet", "failed"
    );
    println!("{:<48} {:>10} {:>8} {quiet:>9.2}", "none", "", "");
    let mut unfair = Vec::new();
    for (what, request) in FLOODS {
        let sent = AtomicUsize::new(0);
        let answers = ordinary(&|| flood(program.address, request, &sent));
        let failed = answers.iter().filter(|answer| answer.status != 200).count();
        let ratio = p99(&answers) / quiet;
        println!(
            "{what:<48} {:>10} {:>8} {:>9.2} {ratio:>7.2} {failed:>7}",
            sent.into_inner(),
            answers.len(),
            p99(&answers)
        );
        if failed > 0 || ratio >= MOST {
            unfair.push(what);
        }
    }
    if unfair.is_empty() {
        Ok(())
    } else {
        Err(Failure::new(format!(
            "a tenant slows another (more than {MOST} times, or failures): {}",
            unfair.join(", ")
        )))
    }
}

/// Sends requests over all connections until the time is over, and counts them.
fn flood(address: SocketAddr, request: fn(&Client, usize) -> (String, String), sent: &AtomicUsize) {
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        for connection in 0..CONNECTIONS {
            let (stop, of) = (&stop, client(FLOODING, connection % CLIENTS));
            // Each source has the connections of few: a proxy's header names it.
            let source = format!("X-Forwarded-For: 10.0.0.{}\r\n", connection % 16);
            scope.spawn(move || {
                let mut caller = Caller::new(address);
                while !stop.load(Ordering::Relaxed) {
                    let (path, form) = request(&of, sent.fetch_add(1, Ordering::Relaxed));
                    let (answer, _) = caller.send_form(&path, &source, &form);
                    // A client that is told to come again later does, if not as late as it was told.
                    if answer.has_retry_after {
                        thread::sleep(Duration::from_millis(20));
                    }
                }
            });
        }
        thread::sleep(LENGTH);
        stop.store(true, Ordering::Relaxed);
    });
}

fn p99(answers: &[Answer]) -> f64 {
    percentile(answers.iter().map(|answer| answer.took), 99)
}

fn path(client: &Client, endpoint: &str) -> String {
    format!("/api/v1/tenant/{}/oauth/{endpoint}", client.tenant)
}

fn token_form(client: &str, secret: &str) -> String {
    format!("grant_type=client_credentials&client_id={client}&client_secret={secret}")
}
