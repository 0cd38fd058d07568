//! Tests that a replica is notified of other replicas' writes within a second, also after its connection was
//! cut.

use std::sync::Arc;
use std::time::Duration;

use administration::kinds::change::ChangeKind;
use administration::kinds::{Change, Invalidation};
use administration::store::TenantRows as _;
use keys::SigningKeyStore as _;
use registry::{RevocationStore as _, TokenRevocation};
use sqlx::{Connection as _, PgConnection};
use storage::Database;
use testkit::fixtures::{NOW, client, client_id, key, key_of, tenant_id};
use testkit::requests;
use tokio::time::timeout;

use crate::feeds::{add, added, changes_to, listen, receive};
use crate::sandbox::{Sandbox, execute, server};

const SOON: Duration = Duration::from_secs(1);
/// The time limit for a new connection on a busy machine.
const PATIENCE: Duration = Duration::from_secs(10);

/// Waits until the feed's connection listens.
async fn await_listening(sandbox: &Sandbox) {
    let sql = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = $1 AND query LIKE '%change_log%')";
    let url = sandbox.url();
    let name = url.rsplit('/').next().unwrap();
    let listens = async {
        let mut server = server().await;
        while !sqlx::query_scalar::<_, bool>(sql).bind(name).fetch_one(&mut server).await.unwrap() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, listens).await.unwrap();
}

#[tokio::test]
async fn changes_of_another_replica_arrive_by_notification() {
    let sandbox = Sandbox::new().await;
    let (here, there) = (sandbox.open().await, sandbox.open().await);
    add(&there, "before").await;
    let (mut received, watching) = listen(&here).await;
    await_listening(&sandbox).await;
    let statements = here.statements();
    add(&there, "acme").await;
    assert_eq!(receive(&mut received, SOON).await, added("acme"));
    there.add_key(&tenant_id("acme"), &key(1)).await.unwrap();
    assert_eq!(receive(&mut received, SOON).await, [Invalidation::Keys(tenant_id("acme"))]);
    assert_eq!(here.statements(), statements);
    add(&here, "own").await;
    assert_eq!(receive(&mut received, SOON).await, added("own"));
    watching.abort();
}

#[tokio::test]
async fn changes_before_watching_and_during_a_disconnection_arrive() {
    let sandbox = Sandbox::new().await;
    let (here, there) = (sandbox.open().await, sandbox.open().await);
    let (sender, mut received) = tokio::sync::mpsc::unbounded_channel();
    let feed = here.change_feed().await.unwrap();
    add(&there, "early").await;
    let watching = tokio::spawn(feed.watch(changes_to(sender)));
    assert_eq!(receive(&mut received, PATIENCE).await, added("early"));
    for round in ["one", "two", "three"] {
        let name = sandbox.url().rsplit('/').next().unwrap().to_owned();
        let cut =
            format!("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{name}'");
        execute(&mut server().await, cut).await;
        add(&there, round).await;
        assert_eq!(receive(&mut received, PATIENCE).await, added(round));
    }
    watching.abort();
}

/// Holds the lock of the log and the platform's lock until the connection is closed.
async fn hold_the_locks(sandbox: &Sandbox) -> PgConnection {
    let mut holder = sandbox.connect().await;
    let take = "SELECT pg_advisory_lock(7810204517302011), pg_advisory_lock(7810204517302012)";
    execute(&mut holder, take.to_owned()).await;
    holder
}

/// Whether a client and a key can be committed within the limit, without waiting for a lock of the platform.
async fn commits(database: &Database, number: &mut u32, limit: Duration) -> bool {
    *number += 1;
    let (acme, id) = (tenant_id("acme"), format!("svc-{number}"));
    let Some(state) = database.load_state(&acme).await.unwrap() else { return false };
    let added = requests::row(ChangeKind::Added, None, &client(&state.tenant, &id));
    let mut request = requests::declared(vec![Change::Client(added)]);
    request.expected_revisions = vec![(acme, state.revision)];
    timeout(limit, requests::commit(database, &request)).await.is_ok_and(|committed| committed.is_ok())
}

/// A session of an earlier version does not hold the advisory lock of the current version. While one is open,
/// changes are logged as the earlier version does: in the order of their positions, with a notification in
/// the transaction.
#[tokio::test(flavor = "multi_thread")]
async fn commits_skip_the_platform_lock_without_earlier_replicas() {
    let sandbox = Sandbox::new().await;
    let earlier =
        PgConnection::connect(&format!("{}?application_name=latchkey", sandbox.url())).await.unwrap();
    let database = sandbox.open().await;
    add(&database, "acme").await;
    let (_received, watching) = listen(&database).await;
    await_listening(&sandbox).await;
    let (holder, mut number) = (hold_the_locks(&sandbox).await, 0);
    // Longer than three checks for an earlier version.
    assert!(!commits(&database, &mut number, 5 * SOON).await);
    earlier.close().await.unwrap();
    let without_a_wait = async { while !commits(&database, &mut number, 5 * SOON).await {} };
    timeout(3 * PATIENCE, without_a_wait).await.unwrap();
    let token = TokenRevocation {
        client: client_id("svc"),
        jti: "jti".to_owned(),
        issued_at: NOW,
        expires_at: NOW,
        sub: None,
    };
    timeout(PATIENCE, database.revoke_token(&tenant_id("acme"), &token, NOW)).await.unwrap().unwrap();
    timeout(PATIENCE, database.add_key(&tenant_id("acme"), &key(1))).await.unwrap().unwrap();
    drop(holder);
    watching.abort();
}

/// Each kind of change except new keys.
const CHANGES: [(&str, Option<&str>); 5] = [
    ("tenant", None),
    ("revocations", None),
    ("client", Some("svc-1")),
    ("account", Some("usr_aaaaaaaaaaaaaaaaaaaaaaaaaa")),
    ("api_key", Some("aaaaaaaaaaaa")),
];

/// Half of the writers log a change and commit later than others that logged after them. Another transaction
/// is open all the time, and the feed's connection is cut repeatedly.
#[tokio::test(flavor = "multi_thread")]
async fn no_change_of_concurrent_writers_is_missed() {
    let sandbox = Sandbox::new().await;
    let replicas = [Arc::new(sandbox.open().await), Arc::new(sandbox.open().await)];
    let ids: Vec<String> = (0..32).map(|number| format!("t{number}")).collect();
    for id in &ids {
        add(&replicas[0], id).await;
    }
    let (mut received, watching) = listen(&replicas[0]).await;
    await_listening(&sandbox).await;
    tokio::time::sleep(Duration::from_secs(4)).await;
    let mut foreign = sandbox.connect().await;
    execute(&mut foreign, "BEGIN; CREATE TABLE foreign_rows (nth bigint)".to_owned()).await;
    // Without a lock, each of these commits later than others that logged after it. Together they log each
    // kind of change.
    let (mut late, mut expected) = (Vec::new(), Vec::new());
    for (id, (kind, name)) in ids.iter().zip(CHANGES.into_iter().cycle()) {
        let named = name.map(|name| (format!(", {kind}_id"), format!(", '{name}'")));
        let (column, value) = named.unwrap_or_default();
        let log = format!(
            "BEGIN; SET LOCAL ROLE latchkey_operator; SET LOCAL latchkey.log = 'shared';
             INSERT INTO change_log (kind, tenant_id, changed_at{column}) VALUES ('{kind}', '{id}', 0{value})"
        );
        let mut connection = sandbox.connect().await;
        execute(&mut connection, log).await;
        late.push(connection);
        expected.push(Invalidation::new(kind, tenant_id(id), name).unwrap());
    }
    let writers: Vec<_> = ids
        .iter()
        .enumerate()
        .map(|(index, id)| {
            let (replica, id) = (Arc::clone(&replicas[index % 2]), tenant_id(id));
            tokio::spawn(async move { replica.add_key(&id, &key_of(&id, 1)).await.unwrap() })
        })
        .collect();
    for writer in writers {
        assert!(writer.await.unwrap());
    }
    for (nth, mut connection) in late.into_iter().rev().enumerate() {
        execute(&mut connection, "COMMIT".to_owned()).await;
        if nth % 8 == 0 {
            let cut =
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE query LIKE '%AS unseen%'
                        AND datname = current_database() AND pid <> pg_backend_pid()";
            execute(&mut connection, cut.to_owned()).await;
        }
    }
    expected.extend(ids.iter().map(|id| Invalidation::Keys(tenant_id(id))));
    while !expected.is_empty() {
        let told = receive(&mut received, PATIENCE).await;
        expected.retain(|change| !told.contains(change));
    }
    execute(&mut foreign, "ROLLBACK".to_owned()).await;
    watching.abort();
}
