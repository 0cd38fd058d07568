//! Tests that a token that is revoked at one replica is invalid at the other: within a second with a message,
//! within ten seconds without one. Without the store no token is active. The median of five measurements with
//! a message must be within the second, and each must be within a limit for a busy machine.

use std::time::{Duration, Instant};

use reqwest::Method;
use testkit::RedisServer;
use tokio::time::sleep;

use crate::answer::Answer;
use crate::jwt;
use crate::postgres_server::PostgresServer;
use crate::running::tenant_path;
use crate::test_env::{Replica, TENANTS, TestEnv, settings};
use crate::test_servers::eventually;

pub(crate) const BY_MESSAGE: Duration = Duration::from_secs(1);
const WITHOUT_MESSAGE: Duration = Duration::from_secs(10);
/// A second, and a margin for a busy machine. Far less than the eight seconds after which cached revocations
/// expire.
pub(crate) const NOTIFIED: Duration = Duration::from_secs(4);
pub(crate) const TIMES: usize = 5;

pub(crate) async fn introspect(test_env: &TestEnv, replica: &Replica, tenant: &str, token: &str) -> Answer {
    let form = [("client_id", "svc-0"), ("client_secret", test_env.secret_of(tenant)), ("token", token)];
    replica.program.post(&tenant_path(tenant, "/oauth/introspect"), &form).await
}

pub(crate) async fn is_active(test_env: &TestEnv, replica: &Replica, tenant: &str, token: &str) -> bool {
    let answer = introspect(test_env, replica, tenant, token).await;
    assert!(answer.status == 200 || answer.status == 503, "{answer:?}");
    answer.status == 200 && answer.json()["active"] == true
}

/// Revokes a token, and returns the status.
pub(crate) async fn revoke(test_env: &TestEnv, replica: &Replica, tenant: &str, token: &str) -> u16 {
    let form = [("client_id", "svc-0"), ("client_secret", test_env.secret_of(tenant)), ("token", token)];
    let revoked = replica.program.post(&tenant_path(tenant, "/oauth/revoke"), &form).await;
    assert!(revoked.status != 200 || revoked.body.is_empty(), "{revoked:?}");
    revoked.status
}

#[track_caller]
pub(crate) fn assert_median_within(bound: Duration, mut times: Vec<Duration>) {
    times.sort();
    eprintln!("measured: what was revoked was refused after {times:?}");
    assert_eq!(times.len(), TIMES);
    assert!(times[TIMES / 2] <= bound, "the median is beyond {bound:?}: {times:?}");
}

/// Revokes tokens of each tenant at the first replica. The second replica has just found each of them active.
async fn check(test_env: &TestEnv, replicas: &[Replica; 2]) {
    let [one, other] = replicas;
    for tenant in TENANTS {
        let secret = test_env.secret_of(tenant);
        let kept = other.program.token(tenant, "svc-0", secret).await;
        let mut times = Vec::new();
        for _ in 0..TIMES {
            let token = other.program.token(tenant, "svc-0", secret).await;
            for replica in replicas {
                let is_known = async || is_active(test_env, replica, tenant, &token).await;
                eventually("the token is active", NOTIFIED, is_known).await;
            }
            assert_eq!(revoke(test_env, one, tenant, &token).await, 200);
            let begun = Instant::now();
            assert!(!is_active(test_env, one, tenant, &token).await, "at once where it was revoked");
            let is_ended = async || !is_active(test_env, other, tenant, &token).await;
            eventually("the other knows", NOTIFIED, is_ended).await;
            times.push(begun.elapsed());
        }
        assert_median_within(BY_MESSAGE, times);
        for replica in replicas {
            assert!(is_active(test_env, replica, tenant, &kept).await);
        }
    }
}

// [revocation RFC 7009 §2.1 e]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn revoked_token_is_invalid_at_the_other_replica() {
    let redis = RedisServer::started();
    for url in [Some(redis.url()), None] {
        let test_env = TestEnv::new(url);
        check(&test_env, &test_env.start_two(&settings(1)).await).await;
    }
}

// [revocation RFC 7009 §2.1 e]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn revocation_without_a_message_takes_effect() {
    let redis = RedisServer::started();
    let [with, without] = [Some(redis.url()), None].map(TestEnv::new);
    tokio::join!(check_without_messages(&with), check_without_messages(&without));
}

/// Writes rows with plain SQL, without a message, as if the message were lost. The first row is written just
/// after the replicas have read the revocations, and each further row a second later.
async fn check_without_messages(test_env: &TestEnv) {
    let replicas = test_env.start_two(&settings(1)).await;
    for tenant in TENANTS {
        for replica in &replicas {
            let token = replica.program.token(tenant, "svc-0", test_env.secret_of(tenant)).await;
            assert!(is_active(test_env, replica, tenant, &token).await);
        }
    }
    tokio::join!(check_lost(test_env, &replicas, "acme"), check_lost(test_env, &replicas, "globex"));
    assert_eq!(test_env.database.query("SELECT count(*) FROM change_log WHERE kind = 'revocations'"), "0");
}

async fn check_lost(test_env: &TestEnv, replicas: &[Replica; 2], tenant: &str) {
    let secret = test_env.secret_of(tenant);
    let [one, other] = replicas;
    let kept = one.program.token(tenant, "svc-0", secret).await;
    let mut revoked: Vec<(String, Instant)> = Vec::new();
    let mut times = [Vec::new(), Vec::new()];
    let mut next = Instant::now();
    while times.iter().any(|times| times.len() < TIMES) {
        if revoked.len() < TIMES && Instant::now() >= next {
            let token = other.program.token(tenant, "svc-0", secret).await;
            let jti = jwt::claims(&token)["jti"].as_str().unwrap().to_owned();
            let row = format!("('{tenant}', 'token', 'svc-0', '{jti}', 0, 99999999999)");
            test_env.database.query(&format!("INSERT INTO revocations VALUES {row}"));
            revoked.push((token, Instant::now()));
            next += Duration::from_secs(1);
        }
        for (replica, times) in replicas.iter().zip(&mut times) {
            // The tokens become invalid in the order of their rows, because a replica reads all revocations
            // together.
            while let Some((token, at)) = revoked.get(times.len()) {
                if is_active(test_env, replica, tenant, token).await {
                    assert!(at.elapsed() <= WITHOUT_MESSAGE, "not within {WITHOUT_MESSAGE:?}");
                    break;
                }
                times.push(at.elapsed());
            }
        }
        sleep(Duration::from_millis(10)).await;
    }
    eprintln!("measured: a revoked token was refused without a message after {times:?}");
    for replica in replicas {
        assert!(is_active(test_env, replica, tenant, &kept).await);
    }
}

// [revocation RFC 7009 §2.2.1 c]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_are_issued_but_not_accepted_without_the_store() {
    let mut postgres = PostgresServer::started();
    let test_env = TestEnv::on(&postgres.server(), None);
    let replicas = test_env.start_two(&settings(1)).await;
    let secret = test_env.secret_of("acme");
    let token = replicas[0].program.token("acme", "svc-0", secret).await;
    for replica in &replicas {
        replica.program.token("acme", "svc-0", secret).await;
        assert!(is_active(&test_env, replica, "acme", &token).await);
    }
    postgres.stop_immediately();
    // Revocations are fresh for ten seconds after they were read.
    sleep(Duration::from_millis(10_500)).await;
    for replica in &replicas {
        for _ in 0..3 {
            let answer = introspect(&test_env, replica, "acme", &token).await;
            answer.assert_refused(503, "temporarily_unavailable");
            assert_eq!(replica.program.present(&token).await.status, 503);
            let form = [("client_id", "svc-0"), ("client_secret", secret), ("token", &token)];
            let answer = replica.program.post(&tenant_path("acme", "/oauth/revoke"), &form).await;
            answer.assert_refused(503, "temporarily_unavailable");
            assert_eq!(replica.program.request_token("acme", "svc-0", secret).await.status, 200);
        }
    }
    postgres.start();
    for replica in &replicas {
        let is_served = async || is_active(&test_env, replica, "acme", &token).await;
        eventually("tokens are active again", NOTIFIED + WITHOUT_MESSAGE, is_served).await;
    }
}

/// Also tests the next token of a grant that continues. The token request waits until the token is valid.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn revoking_all_tokens_spares_the_next_one() {
    let test_env = TestEnv::new(None);
    let replicas = test_env.start_two(&settings(1)).await;
    let [one, other] = &replicas;
    let admin = test_env.administrator(one).await;
    let secret = test_env.secret_of("acme");
    let tokens = [
        one.program.token("acme", "svc-0", secret).await,
        other.program.token("acme", "svc-0", secret).await,
    ];
    let theirs = other.program.token("globex", "svc-0", test_env.secret_of("globex")).await;
    let path = "/api/v1/tenant/acme/clients/svc-0/tokens/revoke";
    admin.send_request(Method::POST, path, None).await;
    for replica in &replicas {
        for token in &tokens {
            let is_ended = async || !is_active(&test_env, replica, "acme", token).await;
            eventually("its tokens have ended", NOTIFIED, is_ended).await;
        }
        let begun = Instant::now();
        let next = replica.program.token("acme", "svc-0", secret).await;
        eprintln!("measured: the next token after {:?}", begun.elapsed());
        for replica in &replicas {
            assert!(is_active(&test_env, replica, "acme", &next).await);
            assert!(is_active(&test_env, replica, "globex", &theirs).await);
        }
    }
    let rows = "SELECT count(*) FROM revocations WHERE tenant_id = 'acme'";
    assert_eq!(test_env.database.query(rows), "1");
}

/// Earlier tokens stay revoked, even those of the second of the resumption.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn resumed_client_or_tenant_gets_tokens_immediately() {
    let test_env = TestEnv::new(None);
    let replicas = test_env.start_two(&settings(1)).await;
    let [one, other] = &replicas;
    let admin = test_env.administrator(one).await;
    for tenant in TENANTS {
        let secret = test_env.secret_of(tenant);
        let of_client = format!("/api/v1/tenant/{tenant}/clients/svc-0");
        for path in [of_client, format!("/api/v1/admin/tenants/{tenant}")] {
            let before = other.program.token(tenant, "svc-0", secret).await;
            for step in ["suspend", "resume"] {
                admin.send_request(Method::POST, &format!("{path}/{step}"), None).await;
            }
            let has_passed = "SELECT bool_and(issued_until < EXTRACT(EPOCH FROM clock_timestamp())::bigint)
                                FROM revocations";
            assert_eq!(test_env.database.query(has_passed), "t", "a token waits for no second");
            for replica in &replicas {
                let is_served =
                    async || replica.program.request_token(tenant, "svc-0", secret).await.status == 200;
                eventually("the resumption is known", NOTIFIED, is_served).await;
                assert!(!is_active(&test_env, replica, tenant, &before).await);
            }
        }
    }
}
