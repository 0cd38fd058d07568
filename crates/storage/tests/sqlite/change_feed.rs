//! Tests that a process is notified of other processes' writes.

use std::fs;
use std::time::Duration;

use administration::kinds::Invalidation;
use administration::store::ChangeLog as _;
use keys::SigningKeyStore as _;
use testkit::fixtures::{key, tenant_id};
use tokio::time::timeout;

use crate::feeds::{add, added, listen, receive};
use crate::sandbox::Sandbox;

/// Much longer than the feed's 250 ms, because the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(10);

#[tokio::test]
async fn changes_of_other_processes_arrive_by_notification() {
    let sandbox = Sandbox::new().await;
    let (here, there) = (sandbox.open().await, sandbox.open().await);
    add(&there, "before").await;
    let (mut received, watching) = listen(&here).await;
    let statements = here.statements();
    add(&there, "acme").await;
    assert_eq!(receive(&mut received, PATIENCE).await, added("acme"));
    let acme = tenant_id("acme");
    there.add_key(&acme, &key(1)).await.unwrap();
    assert_eq!(receive(&mut received, PATIENCE).await, [Invalidation::Keys(acme)]);
    assert_eq!(here.statements(), statements);
    add(&here, "own").await;
    assert_eq!(receive(&mut received, PATIENCE).await, added("own"));
    assert_eq!(here.position().await.unwrap(), 7);
    watching.abort();
}

#[tokio::test]
async fn closing_the_store_leaves_one_file() {
    let sandbox = Sandbox::new().await;
    let here = sandbox.open().await;
    let (mut received, watching) = listen(&here).await;
    add(&here, "acme").await;
    receive(&mut received, PATIENCE).await;
    timeout(PATIENCE, here.close()).await.unwrap();
    let files = fs::read_dir(sandbox.path().parent().unwrap()).unwrap();
    let files: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    assert_eq!(files, [sandbox.path()]);
    assert!(!watching.is_finished());
    watching.abort();
}
