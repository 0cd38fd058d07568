//! Tests that automatic key rotation runs at one of two programs, and at the other one when the first is
//! killed.

use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::time::sleep;

use crate::cli::Cli;
use crate::folder::Folder;
use crate::jwt::header;
use crate::program::{Mark, Program};
use crate::settings::{ACME_SECRET, TWO_TENANTS, edited};

/// A lease of 15 s, and a margin for a busy machine.
const TAKEN_OVER: Duration = Duration::from_secs(20);
const LONGEST: Duration = Duration::from_secs(20);

/// Settings with a new key every four seconds.
fn quick() -> String {
    let policy = "signing: { algorithm: ES256, rotate_every: 4s, publish_before: 2s, jwks_max_age: 1s, jwks_stale: 0s, skew: 0s }\n    \
                  access_token: { lifetime: 2s }";
    let settings = edited(TWO_TENANTS, "  acme:\n", &format!("  acme:\n    {policy}\n"));
    edited(&settings, "keys: {", "cache: { l1_lifetime: 1s }\nkeys: {")
}

fn keys(folder: &Folder, tenant: &str) -> Vec<Value> {
    Cli::store(folder).json(&["key", "list", tenant])["items"].as_array().unwrap().clone()
}

async fn leads(program: &Program) -> bool {
    program.get("/metrics").await.body.contains("\nlatchkey_rotation_leader 1\n")
}

async fn until_keys(folder: &Folder, at_least: usize) -> Vec<Value> {
    let began = Instant::now();
    loop {
        let keys = keys(folder, "acme");
        if keys.len() >= at_least {
            return keys;
        }
        assert!(began.elapsed() < LONGEST, "{at_least} keys in time: {keys:?}");
        sleep(Duration::from_millis(200)).await;
    }
}

#[tokio::test]
async fn other_program_rotates_keys_after_a_kill() {
    let folder = Folder::with(&quick());
    let first = Program::start(&folder);
    first.log_after(Mark::START, "this replica rotates keys");
    let second = Program::start(&folder);
    first.token("acme", "svc", ACME_SECRET).await;
    until_keys(&folder, 3).await;
    assert!(leads(&first).await && !leads(&second).await, "one leads");
    // Both programs sign with the key that the rows name.
    for program in [&first, &second] {
        let token = program.token("acme", "svc", ACME_SECRET).await;
        assert_eq!(program.present(&token).await.status, 200, "{}", header(&token));
    }
    first.kill();
    let killed = Instant::now();
    while !leads(&second).await {
        assert!(killed.elapsed() < TAKEN_OVER, "the other one takes over");
        sleep(Duration::from_millis(200)).await;
    }
    let before = keys(&folder, "acme").len();
    let keys = until_keys(&folder, before + 1).await;
    for (one, next) in keys.iter().zip(&keys[1..]) {
        assert_eq!(one["retiring_from"], next["active_from"], "one signs at a time: {keys:?}");
    }
    // The scheduler does not rotate keys that are not due, and generates no keys for a tenant without keys.
    assert_eq!(self::keys(&folder, "globex"), Vec::<Value>::new());
    let token = second.token("acme", "svc", ACME_SECRET).await;
    assert_eq!(second.present(&token).await.status, 200);
    second.stop();
}
