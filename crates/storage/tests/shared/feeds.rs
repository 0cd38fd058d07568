//! Tests which messages a replica gets about other replicas' writes.

use std::time::Duration;

use administration::kinds::Invalidation;
use storage::{Database, FeedNews};
use testkit::fixtures::{client, client_id, tenant, tenant_id};
use testkit::requests;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;
use tokio::time::timeout;

pub(crate) type Received = UnboundedReceiver<Vec<Invalidation>>;

pub(crate) async fn listen(database: &Database) -> (Received, JoinHandle<()>) {
    let (sender, received) = unbounded_channel();
    let feed = database.change_feed().await.unwrap();
    (received, tokio::spawn(feed.watch(changes_to(sender))))
}

/// Sends only the changed rows.
pub(crate) fn changes_to(sender: UnboundedSender<Vec<Invalidation>>) -> impl FnMut(FeedNews) + Send {
    move |news| {
        if let FeedNews::Changed(changed) = news {
            drop(sender.send(changed));
        }
    }
}

pub(crate) async fn add(database: &Database, id: &str) {
    let tenant = tenant(id);
    requests::commit(database, &requests::added(&tenant, &[&client(&tenant, "svc")])).await.unwrap();
}

pub(crate) fn added(id: &str) -> [Invalidation; 2] {
    let id = tenant_id(id);
    [Invalidation::Tenant(id.clone()), Invalidation::Client(id, client_id("svc"))]
}

pub(crate) async fn receive(received: &mut Received, limit: Duration) -> Vec<Invalidation> {
    timeout(limit, received.recv()).await.expect("something is received in time").unwrap()
}
