//! Tests that readiness shows whether PostgreSQL gives this login connections, and whether it accepts writes.

use crate::database::Server;
use crate::folder::Folder;
use crate::host::run;
use crate::postgres_server::PostgresServer;
use crate::program::Program;
use crate::test_env::{Replica, TENANTS, TestEnv, settings};
use crate::test_servers::{LONGEST, eventually};

const CLIENTS: usize = 40;
const LOGIN: &str = "latchkey_login";

/// The status of readiness, and status and reason of its check of the store.
async fn readiness(replica: &Replica) -> (u16, String, String) {
    let answer = replica.program.get("/health/ready").await;
    let text =
        |member: &str| answer.json()["checks"]["store"][member].as_str().unwrap_or_default().to_owned();
    (answer.status, text("status"), text("reason"))
}

/// In how many tenants the client with this number gets a token.
async fn served(test_env: &TestEnv, replica: &Replica, number: usize) -> usize {
    let mut served = 0;
    for tenant in TENANTS {
        let secret = test_env.secret_of(tenant);
        let answer = replica.program.request_token(tenant, &format!("svc-{number}"), secret).await;
        assert!(matches!(answer.status, 200 | 503), "{answer:?}");
        served += usize::from(answer.status == 200);
    }
    served
}

fn limit_to(postgres: &PostgresServer, connections: i32) {
    postgres.server().query("postgres", &format!("ALTER ROLE {LOGIN} CONNECTION LIMIT {connections}"));
}

// Once, with `ALTER ROLE latchkey CONNECTION LIMIT 6`, and also with 4 and 5, readiness was `ok`, but every
// client that was not cached got 503.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readiness_reports_missing_connections() {
    let postgres = PostgresServer::started();
    let test_env = TestEnv::on(&postgres.server(), None);
    for limit in [4, 5, 6] {
        limit_to(&postgres, limit);
        let replica = test_env.start(&settings(CLIENTS));
        let mut cold = 0..CLIENTS;
        let mut next = async || served(&test_env, &replica, cold.next().unwrap()).await;
        eventually("clients that are not cached are served", LONGEST, async || next().await == 2).await;
        // The first check may have coincided with the first requests, which left it no connection.
        let is_ok = async || readiness(&replica).await == (200, "ok".to_owned(), String::new());
        eventually("readiness says so", LONGEST, is_ok).await;

        // Other work keeps its connections, and requests cannot open new ones.
        limit_to(&postgres, 1);
        test_env.database.query(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
              WHERE pid <> pg_backend_pid() AND (query LIKE '%must be latchkey_app%' OR query LIKE '%pg_is_in_recovery%')",
        );
        let is_told = async || {
            let (status, store, reason) = readiness(&replica).await;
            let is_missed = reason.starts_with("requests get no connection to the store");
            is_missed && (status, &*store) == (200, "degraded")
        };
        eventually("readiness says so", LONGEST, is_told).await;
        assert_eq!(next().await, 0, "{limit}");
        limit_to(&postgres, -1);
        eventually("requests get a connection again", LONGEST, async || next().await == 2).await;
        eventually("readiness says so", LONGEST, is_ok).await;
        // PostgreSQL counts a session until it notices that the program has ended.
        drop(replica);
        test_env.database.query(&format!(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = '{LOGIN}' AND pid <> pg_backend_pid()"
        ));
    }
}

/// The numbers in docs/operations.md: two connections for requests, two for other work, one for changes, and
/// four for a command.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn documented_number_of_connections_is_enough() {
    let postgres = PostgresServer::started();
    let test_env = TestEnv::on(&postgres.server(), None);
    limit_to(&postgres, 5);
    let folder = Folder::with(&settings(CLIENTS));
    let mut command = test_env.command(&folder, &["serve"]);
    for name in ["READERS", "WRITERS"] {
        command.env(format!("LATCHKEY__STORAGE__CONNECTIONS__{name}"), "2");
    }
    let replica = Replica { program: Program::spawn(&folder, &mut command), folder };
    replica.open_connections().await;
    let mut cold = 0..CLIENTS;
    let mut next = async || served(&test_env, &replica, cold.next().unwrap()).await;
    eventually("clients still work", LONGEST, async || next().await == 2).await;
    for _ in 0..5 {
        assert_eq!(next().await, 2);
    }
    limit_to(&postgres, 9);
    for arguments in [&["tenant", "list"][..], &["tenant", "add", "initech", "--audience", "api"]] {
        run(&mut test_env.command(&replica.folder, arguments)).output();
    }
    let is_ok = async || readiness(&replica).await.1 == "ok";
    eventually("readiness says so", LONGEST, is_ok).await;
}

// Once, after `ALTER DATABASE … SET default_transaction_read_only = on`, readiness was `ok`. After the
// database accepted writes again, earlier sessions could not write for half an hour.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readiness_reports_a_read_only_database() {
    let (server, test_env) = (Server::shared(), TestEnv::new(None));
    let replica = test_env.start(&settings(CLIENTS));
    replica.open_connections().await;
    let name = &test_env.database.name;
    // The first token creates a key.
    let is_served = async || served(&test_env, &replica, 0).await == 2;
    eventually("clients still work", LONGEST, is_served).await;
    for number in 1..3 {
        server.query("postgres", &format!("ALTER DATABASE {name} SET default_transaction_read_only = on"));
        let end =
            format!("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{name}'");
        server.query("postgres", &end);
        let is_told = async || {
            let (status, store, reason) = readiness(&replica).await;
            (status, &*store) == (200, "degraded") && reason.starts_with("the store is read-only")
        };
        eventually("readiness says that there are no writes", LONGEST, is_told).await;
        let is_served = async || served(&test_env, &replica, number).await == 2;
        eventually("clients that are not cached are served", LONGEST, is_served).await;
        server.query("postgres", &format!("ALTER DATABASE {name} SET default_transaction_read_only = off"));
        let is_ok = async || readiness(&replica).await.1 == "ok";
        eventually("the store accepts writes again", LONGEST, is_ok).await;
    }
}
