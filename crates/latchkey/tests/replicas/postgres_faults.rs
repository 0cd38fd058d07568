//! Tests outages of PostgreSQL: cached clients get their tokens, and all others get 503, never "unknown
//! client" and never an internal error. Everything recovers afterwards.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::json;
use tokio::time::sleep;

use crate::answer::Answer;
use crate::load::Load;
use crate::postgres_server::PostgresServer;
use crate::test_env::{Replica, TENANTS, TestEnv, settings};
use crate::test_servers::{LONGEST, eventually};

const CLIENTS: usize = 60;
/// Clients that both programs have cached soon after the load begins.
const WARM: usize = 10;
/// A second, and a margin for a busy machine.
const AT_ONCE: Duration = Duration::from_secs(5);
/// A second, and a margin for opening connections on a busy machine. With six busy processes opening
/// connections takes 4 s.
const SERVED_AGAIN: Duration = Duration::from_secs(30);
/// Cached rows are fresh for ten seconds. Later they are only used because the store is unavailable.
const STALE: Duration = Duration::from_millis(10_500);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn warm_clients_survive_postgresql_outages() {
    let mut postgres = PostgresServer::started();
    let test_env = TestEnv::on(&postgres.server(), None);
    let replicas = test_env.start_two(&settings(CLIENTS)).await;
    let load = Load::on(&test_env, &replicas, WARM).await;
    load.more(8 * WARM * TENANTS.len()).await;

    postgres.stop_immediately();
    postgres.start();
    let accepts = Instant::now();
    served_again(&test_env, &replicas, 20, accepts).await;
    load.more(200).await;

    postgres.stop_immediately();
    for number in 40..50 {
        for replica in &replicas {
            for client in [format!("svc-{number}"), format!("unknown-{number}")] {
                let requested = Instant::now();
                let answer = send_request(&test_env, replica, &client).await;
                answer.assert_refused(503, "temporarily_unavailable");
                assert!(!answer.header("retry-after").is_empty(), "{answer:?}");
                assert!(requested.elapsed() < AT_ONCE, "{:?}", requested.elapsed());
            }
        }
    }
    let requested = Instant::now();
    send_request(&test_env, &replicas[0], "svc-50").await.assert_refused(503, "temporarily_unavailable");
    eprintln!("measured: a cold client gets 503 after {:?}", requested.elapsed());
    // Settings that are saved during the outage are applied afterwards.
    let marks = replicas.each_ref().map(|replica| {
        let mark = replica.program.mark();
        replica.folder.write("config.yaml", &settings(CLIENTS + 1));
        mark
    });
    sleep(STALE).await;
    for (replica, mark) in replicas.iter().zip(marks) {
        replica.program.log_after(mark, "settings not applied");
    }
    load.more(200).await;
    postgres.start();
    let accepts = Instant::now();
    served_again(&test_env, &replicas, 40, accepts).await;
    let new = format!("svc-{CLIENTS}");
    let is_applied = async || send_request(&test_env, &replicas[0], &new).await.status == 200;
    eventually("the settings are applied", LONGEST, is_applied).await;
    load.more(100).await;
    let answered = load.assert_none_failed(500).await;
    eprintln!("measured: {answered} requests of warm clients, 0 failed");
}

/// The settings declare nothing, so only the policies of tenants that were created through the API decide how
/// long rows may be stale.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replica_with_api_tenants_is_ready_while_serving_stale() {
    const NOTHING: &str = "server: { listeners: [{ address: 127.0.0.1:0 }] }\nkeys: { sealing_key: { env: LATCHKEY_SEALING_KEY } }\n";
    let postgres = PostgresServer::started();
    let test_env = TestEnv::on(&postgres.server(), None);
    let replica = test_env.start(NOTHING);
    let (admin, program) = (test_env.administrator(&replica).await, &replica.program);
    let secret = test_env.new_secret();
    let tenant = json!({ "id": "initech", "client": { "client_id": "svc", "client_secret": secret }, "signing": { "algorithm": "ES256" } });
    admin.send_request(Method::POST, "/api/v1/admin/tenants", Some(tenant)).await;
    let is_served = async || program.request_token("initech", "svc", secret).await.status == 200;
    // The tenant gets its first key, which invalidates its rows.
    let warm = Instant::now();
    while warm.elapsed() < Duration::from_secs(3) {
        eventually("a new tenant is served", LONGEST, is_served).await;
    }
    let store = async || {
        let answer = program.get("/health/ready").await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()["checks"]["store"]["status"].as_str().unwrap().to_owned()
    };
    let paused = postgres.paused();
    eventually("the store is missed", LONGEST, async || store().await == "degraded").await;
    let missed = Instant::now();
    // Longer than cached rows are fresh.
    while missed.elapsed() < STALE + Duration::from_secs(2) {
        assert!(is_served().await, "after {:?}", missed.elapsed());
        assert_eq!(store().await, "degraded");
        sleep(Duration::from_millis(100)).await;
    }
    drop(paused);
    eventually("the store is back", LONGEST, async || store().await == "ok").await;
    eventually("all is well", LONGEST, is_served).await;
}

/// Roles belong to the whole server, so programs on other databases create them too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn first_start_waits_for_roles_of_another_database() {
    let postgres = PostgresServer::started();
    let server = postgres.server();
    let made = std::thread::spawn(move || {
        let roles =
            "CREATE ROLE latchkey_app NOLOGIN NOBYPASSRLS; CREATE ROLE latchkey_operator NOLOGIN NOBYPASSRLS";
        server.query("postgres", &format!("BEGIN; {roles}; SELECT pg_sleep(3); COMMIT"))
    });
    let waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'";
    let is_made = async || postgres.server().query("postgres", waits) == "1";
    eventually("the roles are made", LONGEST, is_made).await;
    let test_env = TestEnv::on(&postgres.server(), None);
    let replica = test_env.start(&settings(1));
    assert!(made.is_finished(), "the program waits for the roles of the other database");
    // On a busy machine the first connections may take longer than a request waits.
    let is_served = async || send_request(&test_env, &replica, "svc-0").await.status == 200;
    eventually("the program serves", LONGEST, is_served).await;
}

/// Requests tokens of a client that was refused during the outage, and of a client that was not requested.
async fn served_again(test_env: &TestEnv, replicas: &[Replica; 2], first: usize, accepts: Instant) {
    let mut longest = Duration::ZERO;
    for number in [first, first + 15] {
        for replica in replicas {
            let client = format!("svc-{number}");
            let is_served = async || match send_request(test_env, replica, &client).await {
                answer if answer.status == 200 => true,
                answer => {
                    answer.assert_refused(503, "temporarily_unavailable");
                    false
                }
            };
            longest = longest.max(eventually("a cold client is served again", SERVED_AGAIN, is_served).await);
        }
    }
    let all = accepts.elapsed();
    eprintln!(
        "measured: a cold client waits {longest:?} at most, the last of four is served {all:?} after PostgreSQL accepts"
    );
}

async fn send_request(test_env: &TestEnv, replica: &Replica, client: &str) -> Answer {
    replica.program.request_token("acme", client, test_env.secret_of("acme")).await
}
