//! A replica gets messages about the writes of others within a second, also after its connection was cut.

use std::sync::Arc;
use std::time::Duration;

use administration::Invalidation;
use keys::SigningKeyStore as _;
use testkit::fixtures::{key, key_of, tenant_id};
use tokio::time::timeout;

use crate::feeds::{add, added, changes_to, listen, receive};
use crate::sandbox::{Sandbox, execute, server};

const SOON: Duration = Duration::from_secs(1);
/// The time for a new connection on a busy machine.
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
async fn changes_by_another_replica_arrive_without_a_statement_of_a_request() {
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

#[tokio::test(flavor = "multi_thread")]
async fn of_many_writers_at_once_none_is_missed() {
    let sandbox = Sandbox::new().await;
    let replicas = [Arc::new(sandbox.open().await), Arc::new(sandbox.open().await)];
    let ids: Vec<String> = (0..40).map(|number| format!("t{number}")).collect();
    for id in &ids {
        add(&replicas[0], id).await;
    }
    let (mut received, watching) = listen(&replicas[0]).await;
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
    let mut all: Vec<Invalidation> = Vec::new();
    while all.len() < ids.len() {
        all.extend(receive(&mut received, PATIENCE).await);
    }
    let mut expected: Vec<_> = ids.iter().map(|id| Invalidation::Keys(tenant_id(id))).collect();
    let text = |change: &Invalidation| format!("{change:?}");
    all.sort_by_key(text);
    expected.sort_by_key(text);
    assert_eq!(all, expected);
    watching.abort();
}
