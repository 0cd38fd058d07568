//! A process is notified of what others write.

use std::fs;
use std::time::Duration;

use administration::{ChangeLog as _, Invalidation};
use keys::SigningKeyStore as _;
use storage::Database;
use testkit::fixtures::{client_id, key, tenant_id};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::declared::{Sandbox, apply, declaration, tenant};

/// Far beyond the 250 ms of the feed, for a busy machine.
const PATIENCE: Duration = Duration::from_secs(10);

async fn listen(database: &Database) -> (UnboundedReceiver<Vec<Invalidation>>, JoinHandle<()>) {
    let (sender, received) = unbounded_channel();
    let feed = database.change_feed().await.unwrap();
    (received, tokio::spawn(feed.watch(move |changed| drop(sender.send(changed)))))
}

async fn receive(received: &mut UnboundedReceiver<Vec<Invalidation>>) -> Vec<Invalidation> {
    timeout(PATIENCE, received.recv()).await.unwrap().unwrap()
}

#[tokio::test]
async fn changes_by_another_process_arrive_without_a_statement_of_a_request() {
    let sandbox = Sandbox::new();
    let (here, there) = (sandbox.open().await, sandbox.open().await);
    apply(&there, &declaration(vec![tenant("before", Vec::new())]), "1").await.unwrap();
    let (mut received, watching) = listen(&here).await;
    let statements = here.statements();
    let both = declaration(vec![tenant("before", Vec::new()), tenant("acme", Vec::new())]);
    apply(&there, &both, "2").await.unwrap();
    let acme = tenant_id("acme");
    let added = [Invalidation::Tenant(acme.clone()), Invalidation::Client(acme.clone(), client_id("svc"))];
    assert_eq!(receive(&mut received).await, added);
    there.add_key(&acme, &key(1)).await.unwrap();
    assert_eq!(receive(&mut received).await, [Invalidation::Keys(acme)]);
    assert_eq!(here.statements(), statements);
    watching.abort();
}

#[tokio::test]
async fn changes_by_this_process_arrive_too() {
    let sandbox = Sandbox::new();
    let here = sandbox.open().await;
    let (mut received, watching) = listen(&here).await;
    apply(&here, &declaration(vec![tenant("acme", Vec::new())]), "1").await.unwrap();
    assert_eq!(receive(&mut received).await.len(), 2);
    assert_eq!(here.position().await.unwrap(), 2);
    watching.abort();
}

#[tokio::test]
async fn closing_the_store_takes_the_connection_back_and_leaves_one_file() {
    let sandbox = Sandbox::new();
    let here = sandbox.open().await;
    let (mut received, watching) = listen(&here).await;
    apply(&here, &declaration(vec![tenant("acme", Vec::new())]), "1").await.unwrap();
    receive(&mut received).await;
    timeout(PATIENCE, here.close()).await.unwrap();
    let files = fs::read_dir(sandbox.path().parent().unwrap()).unwrap();
    let files: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    assert_eq!(files, [sandbox.path()]);
    assert!(!watching.is_finished());
    watching.abort();
}
