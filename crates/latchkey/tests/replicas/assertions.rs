//! Tests that only one of two programs accepts an assertion that both get at the same time, whatever happens
//! to Redis. After a restart neither accepts it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use keys::{KeyId, PrivateKeyDocument, SigningKey};
use protocol::{JWT_BEARER, SigningAlgorithm};
use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::program::{Mark, Program};
use crate::running::tenant_path;
use crate::test_env::{Replica, TENANTS, TestEnv, settings};
use crate::test_servers::{LONGEST, eventually};

/// The default of `server.public_url`.
const PUBLIC_URL: &str = "http://localhost:3000";
/// The lifetime of an assertion, in seconds.
pub(crate) const LIFETIME: u64 = 600;
const TRIES: usize = 100;

pub(crate) fn key() -> SigningKey {
    let document = PrivateKeyDocument::generate(SigningAlgorithm::ES256).unwrap();
    SigningKey::parse(KeyId::numbered(1), SigningAlgorithm::ES256, document.expose()).unwrap()
}

/// The usual settings, in which `svc-0` of each tenant signs with the key of that tenant.
pub(crate) fn with_keys(keys: &[SigningKey; 2]) -> String {
    let lines = settings(1);
    let mut keys = keys.iter();
    let lines = lines.lines().map(|line| {
        let Some((before, _)) = line.split_once("client_secret:") else { return format!("{line}\n") };
        let jwks = json!({ "keys": [keys.next().unwrap().jwk] });
        format!("{before}token_endpoint_auth_method: private_key_jwt, jwks: {jwks}, audiences: [api], scopes: [api:read] }}\n")
    });
    lines.collect()
}

#[expect(clippy::disallowed_methods, reason = "a client reads its own clock")]
pub(crate) fn assertion(key: &SigningKey, tenant: &str, jti: &str) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let audience = format!("{PUBLIC_URL}{}", tenant_path(tenant, "/oauth/token"));
    let claims =
        json!({ "iss": "svc-0", "sub": "svc-0", "aud": audience, "exp": now + LIFETIME, "jti": jti });
    key.sign("JWT", &claims).unwrap()
}

pub(crate) async fn status(program: &Program, tenant: &str, assertion: &str) -> u16 {
    let form = [
        ("grant_type", "client_credentials"),
        ("client_assertion_type", JWT_BEARER),
        ("client_assertion", assertion),
    ];
    program.post(&tenant_path(tenant, "/oauth/token"), &form).await.status
}

/// Waits until both programs have read the rows of both clients and their keys. Otherwise, on a busy machine,
/// a program may use up the assertion and then answer 503.
pub(crate) async fn warm(replicas: &[Replica; 2], keys: &[SigningKey; 2], phase: &str) {
    for (number, replica) in replicas.iter().enumerate() {
        for (key, tenant) in keys.iter().zip(TENANTS) {
            let mut tries = 0;
            let is_served = async || {
                tries += 1;
                let assertion = assertion(key, tenant, &format!("{phase}-{number}-{tries}"));
                status(&replica.program, tenant, &assertion).await == 200
            };
            eventually("a client is served", LONGEST, is_served).await;
        }
    }
}

/// How many of the attempts at both programs get a token, for each tenant. Both tenants get the same `jti`.
pub(crate) async fn accepted(replicas: &[Replica; 2], keys: &[SigningKey; 2], jti: &str) -> [usize; 2] {
    let mut counts = [0; 2];
    for (nth, tenant) in TENANTS.into_iter().enumerate() {
        let assertion = assertion(&keys[nth], tenant, jti);
        let form = [
            ("grant_type", "client_credentials"),
            ("client_assertion_type", JWT_BEARER),
            ("client_assertion", assertion.as_str()),
        ];
        let mut tries = JoinSet::new();
        for number in 0..TRIES {
            let program = &replicas[number % 2].program;
            let request =
                program.request(reqwest::Method::POST, &tenant_path(tenant, "/oauth/token")).form(&form);
            // If the store does not answer in time, 503 is correct, and the caller tries again.
            tries.spawn(async move {
                loop {
                    let status = request.try_clone().unwrap().send().await.unwrap().status().as_u16();
                    if status != 503 {
                        return status;
                    }
                    sleep(Duration::from_millis(100)).await;
                }
            });
        }
        while let Some(status) = tries.join_next().await {
            match status.unwrap() {
                200 => counts[nth] += 1,
                401 => {}
                other => panic!("{other}"),
            }
        }
    }
    counts
}

// [assertions RFC 7523 §6]: Ours: the insert into the store decides alone. Redis refuses early what it knows
//   as used in the tenant, and accepts nothing: two arbiters would each accept one while replicas disagree
//   whether Redis is there ([decision 29](decisions/0029-each-assertion-once.md))
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_one_of_a_hundred_uses_is_accepted() {
    let (mut redis, test_env) = TestEnv::with_redis();
    let keys = [key(), key()];
    let settings = with_keys(&keys);
    let replicas = test_env.start_two(&settings).await;
    for replica in &replicas {
        replica.program.log_after(Mark::START, "Redis answers");
    }
    warm(&replicas, &keys, "started").await;
    assert_eq!(accepted(&replicas, &keys, "up").await, [1, 1]);
    redis.pause();
    assert_eq!(accepted(&replicas, &keys, "paused").await, [1, 1]);
    redis.resume();
    redis.kill();
    assert_eq!(accepted(&replicas, &keys, "killed").await, [1, 1]);
    redis.start();
    assert_eq!(accepted(&replicas, &keys, "back").await, [1, 1]);
    for jti in ["up", "paused", "killed", "back"] {
        assert_eq!(accepted(&replicas, &keys, jti).await, [0, 0], "{jti}");
    }
    // The key of one tenant is not accepted at the other, even with a new `jti`.
    let strange = assertion(&keys[0], "globex", "strange");
    assert_eq!(status(&replicas[0].program, "globex", &strange).await, 401);

    let [one, other] = replicas;
    one.program.kill();
    let restarted = [test_env.start(&settings), other];
    for jti in ["up", "paused", "killed", "back"] {
        assert_eq!(accepted(&restarted, &keys, jti).await, [0, 0], "{jti} after a restart");
    }
    warm(&restarted, &keys, "restarted").await;
    assert_eq!(accepted(&restarted, &keys, "new").await, [1, 1]);
}
