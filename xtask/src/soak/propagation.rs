//! The delay until a change at one replica is effective at another: through Redis, through PostgreSQL without
//! Redis, and after Redis has died.

use std::thread;
use std::time::{Duration, Instant};

use super::administrator::first_token;
use super::calls::{Caller, percentile};
use super::program::Program;
use super::redis::Redis;
use super::tenants::{client, declared};
use super::test_env::TestEnv;
use crate::workspace::Failure;

/// Each change concerns a different client.
const CHANGES: u32 = 50;
/// Few, because each may take up to ten seconds.
const CHANGES_AFTER_DEATH: u32 = 5;
const LONGEST: Duration = Duration::from_secs(20);
const LOOK_AGAIN: Duration = Duration::from_millis(1);

pub(super) fn measure(test_env: &TestEnv<'_>) -> Result<(), Failure> {
    println!("\nnews: a client is suspended at one replica; until the other one refuses it");
    println!("redis            changes  p50, ms  longest, ms");
    let alone = format!("storage: {{ url: '{}' }}\n", test_env.create_database("news_alone")?);
    let two = Two::start(test_env, &alone)?;
    two.show("without Redis", 0..CHANGES)?;
    drop(two);

    let mut redis = Redis::start(test_env)?;
    let database = test_env.create_database("news_shared")?;
    let shared = format!("storage: {{ url: '{database}' }}\ncache: {{ redis_url: '{}' }}\n", redis.url());
    let two = Two::start(test_env, &shared)?;
    two.await_redis(true)?;
    two.show("with Redis", 0..CHANGES)?;
    redis.kill()?;
    // Replicas notice that Redis is dead when a request needs it.
    two.show("Redis dead", CHANGES..CHANGES + CHANGES_AFTER_DEATH)?;
    two.await_redis(false)
}

struct Two {
    programs: [Program; 2],
    /// An administrator's token.
    token: String,
}

impl Two {
    fn start(test_env: &TestEnv<'_>, stores: &str) -> Result<Self, Failure> {
        let tenants = declared(1, CHANGES + CHANGES_AFTER_DEATH);
        let token = first_token(test_env, stores, &tenants)?;
        let start = |name| {
            let mut program = Program::start_named(test_env, name, stores, &tenants)?;
            program.await_token(&client(0, 0))?;
            Ok::<_, Failure>(program)
        };
        Ok(Self { programs: [start("news-one")?, start("news-other")?], token })
    }

    fn show(&self, name: &str, clients: std::ops::Range<u32>) -> Result<(), Failure> {
        let changes = clients.len();
        let times = clients.map(|number| self.change(number)).collect::<Result<Vec<_>, _>>()?;
        let [half, all] = [50, 100].map(|percent| percentile(times.iter().copied(), percent));
        println!("{name:<16} {changes:>7} {half:>8.1} {all:>12.1}");
        Ok(())
    }

    /// The delay since the answer to the administrator.
    fn change(&self, number: u32) -> Result<Duration, Failure> {
        let client = client(0, number);
        let [mut one, mut other] = self.programs.each_ref().map(|program| Caller::new(program.address));
        for caller in [&mut one, &mut other] {
            expect(200, caller.token(&client).status)?;
        }
        let path = format!("/api/v1/tenant/{}/clients/{}/suspend", client.tenant, client.id);
        expect(200, one.administer(&self.token, "POST", &path, "").0.status)?;
        let changed = Instant::now();
        while other.token(&client).status != 401 {
            if changed.elapsed() > LONGEST {
                return Err(Failure::new("a change is not so at the other replica"));
            }
            thread::sleep(LOOK_AGAIN);
        }
        let took = changed.elapsed();
        expect(401, one.token(&client).status)?;
        Ok(took)
    }

    fn await_redis(&self, is_used: bool) -> Result<(), Failure> {
        self.programs.iter().try_for_each(|program| program.await_redis(is_used))
    }
}

fn expect(expected: u16, status: u16) -> Result<(), Failure> {
    if status == expected {
        return Ok(());
    }
    Err(Failure::new(format!("{status} instead of {expected}")))
}
