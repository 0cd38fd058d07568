//! Rotates keys under traffic and verifies every token offline: twenty rotations in a minute on SQLite
//! and on two replicas with PostgreSQL and Redis, and a hundred rotations for fifty tenants over a
//! million tokens. Spans of days are shortened to seconds. The measurement fails when a token does not
//! verify; times are only shown.

use super::administrator::first_token;
use super::calls::Caller;
use super::program::{LOAD_CORE, Program};
use super::redis::Redis;
use super::tenants::{SECRET, client, declared_with};
use super::test_env::TestEnv;
use crate::workspace::{Failure, SHIPPED_PROFILE, run as run_program};

/// Key sets are cacheable for one second and rows for another, so the propagation window is 2 s.
const SIGNING: &str = "publish_before: 2s, jwks_max_age: 1s, jwks_stale: 0s, skew: 0s";
/// The window and a second for rounding of timestamps.
const PUBLISHED_FOR: u32 = 3_000;
const L1_LIFETIME: &str = "l1_lifetime: 1s";
const LIFETIME: &str = "6s";

struct Case {
    name: &'static str,
    /// Number of tenants, and of clients per tenant.
    size: (u32, u32),
    /// Tenants use these in turn.
    algorithms: &'static [&'static str],
    rotations: u32,
    tokens: u32,
    callers: u32,
    pause_ms: u32,
    longest_s: u32,
}

const MINUTE: Case = Case {
    name: "20 rotations in a minute",
    size: (2, 5),
    algorithms: &["RS256", "ES256"],
    rotations: 20,
    tokens: 1,
    callers: 16,
    pause_ms: 10,
    longest_s: 120,
};

const MILLION: Case = Case {
    name: "100 rotations of 50 tenants",
    size: (50, 2),
    algorithms: &["ES256"],
    rotations: 100,
    tokens: 1_000_000,
    callers: 32,
    pause_ms: 0,
    longest_s: 900,
};

pub(super) fn measure(test_env: &TestEnv<'_>) -> Result<(), Failure> {
    let example =
        ["build", "--profile", SHIPPED_PROFILE, "--package", "latchkey", "--example", "rotation_load"];
    run_program(&mut test_env.workspace.cargo(&example))?;
    println!("\nrotation: every token verified offline by a key set kept as long as Cache-Control allows");
    let sqlite = |name: &str| {
        let file = test_env.file(name);
        format!("storage: {{ url: 'sqlite://{}' }}\ncache: {{ {L1_LIFETIME} }}\n", file.display())
    };
    show(test_env, "SQLite", &MINUTE, &sqlite("rotation.db"), 1)?;
    let redis = Redis::start(test_env)?;
    let shared = format!(
        "storage: {{ url: '{}' }}\ncache: {{ redis_url: '{}', {L1_LIFETIME} }}\n",
        test_env.create_database("rotation")?,
        redis.url()
    );
    show(test_env, "two replicas, PostgreSQL, Redis", &MINUTE, &shared, 2)?;
    show(test_env, "SQLite", &MILLION, &sqlite("million.db"), 1)
}

fn show(test_env: &TestEnv<'_>, on: &str, case: &Case, stores: &str, programs: usize) -> Result<(), Failure> {
    let tenants = declared(case);
    let token = first_token(test_env, stores, &tenants)?;
    let mut running = Vec::new();
    for number in 0..programs {
        let mut program = Program::start_named(test_env, &format!("rotation-{number}"), stores, &tenants)?;
        program.await_token(&client(0, 0))?;
        running.push(program);
    }
    // Generate every tenant's first key before the rotations begin.
    let mut caller = Caller::new(running[0].address);
    for tenant in 0..case.size.0 {
        let answer = caller.token(&client(tenant, 0));
        if answer.status != 200 {
            return Err(Failure::new(format!("no token for tenant {tenant}, but {}", answer.status)));
        }
    }
    let origins: Vec<_> = running.iter().map(|program| format!("http://{}", program.address)).collect();
    let load = test_env.workspace.target_folder()?.join(SHIPPED_PROFILE).join("examples/rotation_load");
    let mut command = test_env.workspace.program("taskset", &["-c", LOAD_CORE]);
    command.arg(load).arg(format!("origins={}", origins.join(",")));
    for (name, value) in [
        ("tenants", case.size.0),
        ("clients", case.size.1),
        ("rotations", case.rotations),
        ("tokens", case.tokens),
        ("every_ms", PUBLISHED_FOR),
        ("longest_s", case.longest_s),
        ("callers", case.callers),
        ("pause_ms", case.pause_ms),
        ("again", 8),
    ] {
        command.arg(format!("{name}={value}"));
    }
    println!("{}, {on}:", case.name);
    run_program(command.env("SOAK_SECRET", SECRET).env("SOAK_ADMIN_TOKEN", token))
}

fn declared(case: &Case) -> String {
    let (tenants, clients) = case.size;
    declared_with(tenants, clients, |tenant| {
        let algorithm = case.algorithms[tenant as usize % case.algorithms.len()];
        format!(
            "    signing: {{ algorithm: {algorithm}, {SIGNING} }}\n    access_token: {{ lifetime: {LIFETIME} }}\n"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tenants_alternate_between_the_algorithms() {
        let text = declared(&MINUTE);
        assert_eq!((text.matches("RS256").count(), text.matches("ES256").count()), (1, 1));
        assert_eq!(text.matches("client-4:").count(), 2);
    }
}
