//! Tests that tenants take turns at the connections for requests.

use std::sync::Mutex;
use std::time::Duration;

use futures_util::future::join_all;
use registry::{ClientId, ClientStore as _};
use storage::postgres::{self, PostgresOptions};
use testkit::fixtures;

use crate::sandbox::Sandbox;

#[tokio::test]
async fn lookup_waits_at_most_one_turn_of_another_tenant() {
    let sandbox = Sandbox::new().await;
    let patience = Duration::from_secs(10);
    let options = PostgresOptions { readers: 1, patience, ..PostgresOptions::default() };
    let database = postgres::open(&sandbox.url(), options).await.unwrap();
    let served = Mutex::new(Vec::new());
    let look_up = async |tenant: &'static str| {
        let client = ClientId::parse("svc").unwrap();
        assert!(database.find_client(&fixtures::tenant_id(tenant), &client).await.unwrap().is_none());
        served.lock().unwrap().push(tenant);
    };
    let flood = join_all((0..200).map(|_| look_up("globex")));
    tokio::join!(flood, look_up("acme"));
    let turn = served.lock().unwrap().iter().position(|tenant| *tenant == "acme");
    // The lookup waits only for the running lookup and for one turn of the other tenant.
    assert!(turn.is_some_and(|turn| turn <= 2), "{turn:?} of 200");
}
