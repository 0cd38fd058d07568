//! The load of `cargo xtask soak --only rotation` on running programs: every token is verified offline, while
//! the keys of all tenants are rotated again and again. Arguments are `name=value`. The client's secret and
//! an administrator's token come from the environment. It prints one line of numbers, and fails if anything
//! failed.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "its output is what it is for")]
#![expect(clippy::unwrap_used, reason = "its user sees where it stopped")]
#![expect(clippy::disallowed_methods, reason = "secrets come by the environment")]

#[path = "../tests/program/caching_verifier.rs"]
mod caching_verifier;
#[path = "../tests/program/traffic.rs"]
#[expect(dead_code, reason = "shared with the tests")]
mod traffic;

use std::collections::HashMap;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use tokio::time::sleep;

use traffic::{Pace, Requester, Traffic};

/// The pause between two rotations.
const BREATH: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(20);

struct Rotations {
    http: reqwest::Client,
    origins: Vec<String>,
    tenants: usize,
    token: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments: HashMap<String, String> = std::env::args()
        .skip(1)
        .map(|argument| {
            argument.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned())).unwrap()
        })
        .collect();
    let number = |name: &str| arguments[name].parse::<usize>().unwrap();
    let origins: Vec<String> = arguments["origins"].split(',').map(ToOwned::to_owned).collect();
    let (tenants, clients) = (number("tenants"), number("clients"));
    let (rotations, least) = (number("rotations"), number("tokens"));
    let every = Duration::from_millis(number("every_ms") as u64);
    let longest = Duration::from_secs(number("longest_s") as u64);
    let secret = std::env::var("SOAK_SECRET").unwrap();
    let requested = (0..clients).flat_map(|client| {
        let secret = &secret;
        (0..tenants).map(move |tenant| Requester {
            tenant: format!("declared-{tenant}"),
            client: format!("client-{client}"),
            secret: secret.clone(),
        })
    });
    let pace = Pace {
        callers: number("callers"),
        pause: Duration::from_millis(number("pause_ms") as u64),
        again: number("again"),
    };
    let began = Instant::now();
    let rotating = Rotations {
        http: reqwest::Client::new(),
        origins: origins.clone(),
        tenants,
        token: std::env::var("SOAK_ADMIN_TOKEN").unwrap(),
    };
    let traffic = Traffic::start(origins, requested.collect(), pace);
    let mut failed_rotations = 0;
    for round in 0..rotations {
        failed_rotations += rotating.all(round).await;
        // The last new key must sign first: until then, a request to rotate changes nothing.
        sleep(every + BREATH).await;
        if began.elapsed() > longest {
            eprintln!("stopped after {round} rotations: {longest:?} are over");
            break;
        }
    }
    while traffic.tokens() < least && began.elapsed() < longest {
        sleep(BREATH).await;
    }
    let outcome = traffic.end().await;
    let keys: Vec<usize> = outcome.kids.values().map(std::collections::BTreeSet::len).collect();
    println!(
        "tokens={} again={} introspected={} key_sets={} turned_away={} failed={} failed_rotations={failed_rotations} tenants={} \
         least_keys={} most_keys={} seconds={:.1}",
        outcome.tokens,
        outcome.again,
        outcome.introspected,
        outcome.key_sets,
        outcome.turned_away,
        outcome.failed,
        keys.len(),
        keys.iter().min().unwrap(),
        keys.iter().max().unwrap(),
        began.elapsed().as_secs_f64()
    );
    for failure in &outcome.failures {
        eprintln!("{failure}");
    }
    if outcome.failed + outcome.turned_away + failed_rotations == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

impl Rotations {
    /// Rotates all tenants' keys once, at the program whose turn it is. Returns how many rotations failed.
    async fn all(&self, round: usize) -> usize {
        let origin = &self.origins[round % self.origins.len()];
        let mut failed = 0;
        for tenant in 0..self.tenants {
            let url = format!("{origin}/api/v1/tenant/declared-{tenant}/keys/rotate");
            let request = self.http.post(url).bearer_auth(&self.token).timeout(LONGEST);
            let answer = request.header("content-type", "application/json").body("{}").send().await;
            if !answer.as_ref().is_ok_and(|answer| answer.status().is_success()) {
                eprintln!("rotation {round} of declared-{tenant}: {answer:?}");
                failed += 1;
            }
        }
        failed
    }
}
