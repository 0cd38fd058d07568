//! Tests two programs that start at the same time on an empty database and act as one server from the first
//! token on. A change at one takes effect at the other: through Redis, through PostgreSQL or, without a
//! notification, when cached rows expire.

use std::time::{Duration, Instant};

use testkit::{PgBouncer, RedisServer};

use crate::folder::Folder;
use crate::host::run;
use crate::postgres_server::PostgresServer;
use crate::program::{Mark, Program};
use crate::test_env::{Replica, TENANTS, TestEnv, settings};
use crate::test_servers::eventually;
use crate::verifier::Verifier;

/// A second, and a margin for a busy machine. Far less than the ten seconds after which cached rows expire.
const NOTIFIED: Duration = Duration::from_secs(4);
/// Ten seconds, and a margin for a busy machine.
const FOUND_OUT: Duration = Duration::from_secs(13);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_starts_migrate_and_apply_once() {
    let (_redis, test_env) = TestEnv::with_redis();
    let replicas = test_env.start_two(&settings(2)).await;
    assert_eq!(test_env.database.query("SELECT count(*) FROM generations"), "1");
    assert_eq!(test_env.database.query("SELECT count(*) FROM clients"), "4");
    assert_eq!(test_env.database.query("SELECT count(*) FROM change_log WHERE kind = 'client'"), "4");
    let twice = "SELECT count(*) - count(DISTINCT version) FROM _sqlx_migrations WHERE success";
    assert_eq!(test_env.database.query(twice), "0");
    assert_eq!((said(&replicas, "settings applied"), said(&replicas, "settings unchanged")), (1, 1));

    for tenant in TENANTS {
        let secret = test_env.secret_of(tenant);
        let (one, other) = tokio::join!(
            replicas[0].program.token(tenant, "svc-0", secret),
            replicas[1].program.token(tenant, "svc-0", secret)
        );
        assert_eq!(replicas[0].program.jwks(tenant).await.body, replicas[1].program.jwks(tenant).await.body);
        for replica in &replicas {
            for token in [&one, &other] {
                let status = replica.program.present(token).await.status;
                assert_eq!(status, if tenant == "acme" { 200 } else { 401 }, "a token of {tenant}");
            }
        }
    }
    assert_eq!(test_env.database.query("SELECT count(*) FROM signing_keys"), "2");
    // Also verifies the signatures of each tenant.
    for replica in &replicas {
        let verifier = Verifier::from_replica(replica).await;
        for other in &replicas {
            for tenant in TENANTS {
                let token = other.program.token(tenant, "svc-1", test_env.secret_of(tenant)).await;
                assert_eq!(verifier.objection(tenant, "svc-1", &token), None);
            }
        }
    }
}

/// Each start begins with the state that the previous one left behind.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_starts_apply_changed_settings_once() {
    let test_env = TestEnv::new(None);
    let scopes = "api: { scopes: [api:read, api:write, api:admin] }";
    let settings = settings(2).replace("api: { scopes: [api:read] }", scopes);
    drop(test_env.start_two(&settings).await);
    let count =
        |what: &str| test_env.database.query(&format!("SELECT count(*) FROM {what}")).parse::<u32>().unwrap();
    let counts = || {
        [
            count("generations"),
            count("audit_records"),
            count(
                "audit_records WHERE tenant_id = 'acme' AND action = 'client.changed' AND subject = 'svc-1'",
            ),
            count("change_log WHERE kind = 'client' AND tenant_id = 'acme' AND client_id = 'svc-1'"),
        ]
    };
    // Settings that were applied before do not count as new, so none is applied twice.
    for scope in ["api:write", "api:admin", "api:admin, api:write"] {
        let before = counts();
        let svc = "svc-1: { client_secret: { env: ACME_SECRET }, audiences: [api], scopes: ";
        let changed = settings.replace(&format!("{svc}[api:read]"), &format!("{svc}[{scope}]"));
        let replicas = test_env.start_two(&changed).await;
        assert_eq!(counts(), before.map(|count| count + 1), "{scope}");
        assert_eq!((said(&replicas, "settings applied"), said(&replicas, "settings unchanged")), (1, 1));
        for replica in &replicas {
            let answer = replica.program.request_token("acme", "svc-1", test_env.secret_of("acme")).await;
            assert_eq!(answer.json()["scope"], scope.replace(',', ""), "{answer:?}");
            let other = replica.program.request_token("globex", "svc-1", test_env.secret_of("globex")).await;
            assert_eq!(other.json()["scope"], "api:read", "{other:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn change_reaches_the_other_replica() {
    let redis = RedisServer::started();
    for url in [Some(redis.url()), None] {
        let test_env = TestEnv::new(url);
        check_changes(&test_env, &test_env.start_two(&settings(3)).await, NOTIFIED).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn change_reaches_the_other_replica_without_redis() {
    let (mut redis, test_env) = TestEnv::with_redis();
    let replicas = test_env.start_two(&settings(3)).await;
    for replica in &replicas {
        replica.program.log_after(Mark::START, "Redis answers");
    }
    redis.kill();
    check_changes(&test_env, &replicas, FOUND_OUT).await;
}

/// PgBouncer is in front of PostgreSQL. Connections for notifications and the migration bypass it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn change_reaches_the_other_replica_with_a_session_pooler() {
    check_pooler("session", 60).await;
}

/// Both replicas share three sessions.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn change_reaches_the_other_replica_with_a_transaction_pooler() {
    check_pooler("transaction", 3).await;
}

async fn check_pooler(mode: &str, sessions: u32) {
    let test_env = TestEnv::new(None);
    let pooler = PgBouncer::started(&test_env.database.url(), mode, sessions);
    let command = |folder: &Folder, arguments: &[&str], direct: &str| {
        let mut command = test_env.command(folder, arguments);
        command.env("LATCHKEY__STORAGE__URL", pooler.url()).env("LATCHKEY__STORAGE__DIRECT_URL", direct);
        command.env("LATCHKEY__STORAGE__POOLER", mode);
        command
    };
    let direct = format!("{}?application_name=direct", test_env.database.url());
    let replicas = [(); 2].map(|()| {
        let folder = Folder::with(&settings(3));
        Replica { program: Program::spawn(&folder, &mut command(&folder, &["serve"], &direct)), folder }
    });
    for replica in &replicas {
        replica.open_connections().await;
    }
    check_changes(&test_env, &replicas, NOTIFIED).await;
    let past = "SELECT count(*) FROM pg_stat_activity
                 WHERE datname = current_database() AND application_name = 'direct' AND query LIKE '%change_log%'";
    assert_eq!(test_env.database.query(past), "2");

    // Another server also has a database with this name.
    let other = PostgresServer::started();
    let namesake = test_env.database.namesake_on(&other.server());
    for arguments in [&["serve"][..], &["migrate"], &["doctor"]] {
        let ran = run(&mut command(&replicas[0].folder, arguments, &namesake.url()));
        let said = format!("{}{}", ran.out, ran.err);
        assert!(
            ran.code == Some(1) && said.contains("storage.direct_url leads to a different server ("),
            "{said}"
        );
    }
}

/// A write with plain SQL sends no notification, as if every message were lost. A row that one program read
/// from the store, and the other from Redis, is not fresh for longer than if both had read the store.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn change_without_a_notification_takes_effect() {
    let redis = RedisServer::started();
    let shared = TestEnv::new(Some(redis.url()));
    let unshared = TestEnv::new(None);
    let (first, second) = (shared.start_two(&settings(1)).await, unshared.start_two(&settings(1)).await);
    let all = [(&shared, &first[0]), (&shared, &first[1]), (&unshared, &second[0]), (&unshared, &second[1])];
    for (test_env, replica) in all {
        replica.program.token("acme", "svc-0", test_env.secret_of("acme")).await;
    }
    for test_env in [&shared, &unshared] {
        let revoke = "UPDATE client_secrets SET revoked_by = 'api', revoked_at = extract(epoch FROM now())";
        test_env.database.query(&format!("{revoke} WHERE tenant_id = 'acme'"));
    }
    let revoked = Instant::now();
    for (test_env, replica) in all {
        let secret = test_env.secret_of("acme");
        let is_refused = async || replica.program.request_token("acme", "svc-0", secret).await.status == 401;
        let left = FOUND_OUT.saturating_sub(revoked.elapsed());
        eventually("it is found out", left, is_refused).await;
        eprintln!("measured: effective {:?} after a change without a notification", revoked.elapsed());
    }
}

/// A sequence of changes: a client's secret is replaced, a client is removed, a tenant is removed and added
/// again. Only the first program reads the file. The second one has just used the changed rows, so they are
/// in its cache.
async fn check_changes(test_env: &TestEnv, [one, other]: &[Replica; 2], longest: Duration) {
    let replaced = settings(3).replacen(
        "svc-0: { client_secret: { env: ACME_SECRET }",
        "svc-0: { client_secret: { env: NEW_SECRET }",
        1,
    );
    let removed = without(&replaced, |line| line.contains("svc-1:") && line.contains("ACME_SECRET"));
    let closed = removed.split("  globex:").next().unwrap().to_owned();
    let (acme, new, globex) =
        (test_env.secret_of("acme"), test_env.new_secret(), test_env.secret_of("globex"));
    // The settings, then tenant, client and secret of a request, and its status before and after.
    type Expected<'a> = (&'a str, &'a str, &'a str, u16, u16);
    let changes: [(&str, &[Expected<'_>]); 4] = [
        (&replaced, &[("acme", "svc-0", acme, 200, 401), ("acme", "svc-0", new, 401, 200)]),
        (&removed, &[("acme", "svc-1", acme, 200, 401)]),
        (&closed, &[("globex", "svc-2", globex, 200, 404)]),
        (&removed, &[("globex", "svc-2", globex, 404, 200)]),
    ];
    for (settings, requested) in changes {
        for (tenant, client, secret, before, _) in requested {
            assert_eq!(other.program.request_token(tenant, client, secret).await.status, *before);
        }
        let mark = one.program.mark();
        one.folder.replace("config.yaml", settings);
        one.program.log_after(mark, "settings applied");
        let applied = Instant::now();
        for (tenant, client, secret, before, after) in requested {
            let is_so = async || other.program.request_token(tenant, client, secret).await.status == *after;
            eventually("the other does so too", longest, is_so).await;
            eprintln!(
                "measured: {before} became {after} at the other {:?} after it was applied",
                applied.elapsed()
            );
            assert_eq!(one.program.request_token(tenant, client, secret).await.status, *after);
        }
    }
    // Clients that no change affects are still served.
    assert_eq!(other.program.request_token("acme", "svc-2", acme).await.status, 200);
}

/// The number of log lines with this text.
fn said(replicas: &[Replica; 2], what: &str) -> usize {
    let lines = replicas.iter().flat_map(|replica| replica.program.log());
    lines.filter(|line| line["message"] == what).count()
}

fn without(settings: &str, is_left_out: impl Fn(&str) -> bool) -> String {
    let lines = settings.lines().filter(|line| !is_left_out(line));
    lines.map(|line| format!("{line}\n")).collect()
}
