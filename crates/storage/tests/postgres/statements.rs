//! Tests the cost of requests: one statement and one round trip for each lookup.

use administration::kinds::Change;
use administration::kinds::change::ChangeKind;
use administration::store::query::{AuditQuery, ClientQuery, TenantQuery, search_terms};
use administration::store::{AuditLog as _, KeySchedule as _, TenantList as _, TenantRows as _};
use grants::{MostWaiting, OneTime, OneTimeKey, OneTimeStore, PushedRequest};
use keys::SigningKeyStore as _;
use registry::ClientStore as _;
use tenancy::TenantStore as _;
use testkit::fixtures::{self, NOW, key, key_of};
use testkit::requests;
use testkit::store_contract::refresh_families::{code_with_offline_access, redeem_with_family, takes_step};

use crate::sandbox::Sandbox;

#[tokio::test]
async fn each_lookup_is_one_statement() {
    let (_sandbox, database) = Sandbox::opened().await;
    let acme = fixtures::tenant("acme");
    let svc = fixtures::client(&acme, "svc");
    requests::commit(&database, &requests::added(&acme, &[&svc])).await.unwrap();
    let counted = |before: u64| database.statements() - before;

    let before = database.statements();
    assert!(database.find_tenant(&acme.id).await.unwrap().is_some());
    assert_eq!(counted(before), 1);
    assert!(database.find_client(&acme.id, &svc.id).await.unwrap().is_some());
    assert_eq!(counted(before), 2);
    assert!(database.find_keys(&acme.id).await.unwrap().keys.is_empty());
    assert_eq!(counted(before), 3);
    assert_eq!(database.find_key(&acme.id, key(1).id.kid()).await.unwrap(), None);
    assert_eq!(counted(before), 4);

    // BEGIN (which enters the tenant), the number, the key, its schedule, the log, COMMIT. They run once for
    // each tenant.
    let before = database.statements();
    assert!(database.add_key(&acme.id, &key(1)).await.unwrap());
    assert_eq!(counted(before), 6);
    // BEGIN, the tenant, its clients, COMMIT.
    let before = database.statements();
    assert!(database.load_state(&acme.id).await.unwrap().is_some());
    assert_eq!(counted(before), 4);
}

/// BEGIN (which locks the tenant), all rows, COMMIT.
#[tokio::test]
async fn commit_of_one_tenant_takes_three_round_trips() {
    let (_sandbox, database) = Sandbox::opened().await;
    let acme = fixtures::tenant("acme");
    requests::commit(&database, &requests::added(&acme, &[])).await.unwrap();
    let before = database.statements();
    let svc = fixtures::client(&acme, "svc");
    let added = requests::row(ChangeKind::Added, None, &svc);
    let mut request = requests::declared(vec![Change::Client(added)]);
    request.expected_revisions = vec![(acme.id.clone(), 1)];
    requests::commit(&database, &request).await.unwrap();
    assert_eq!(database.statements() - before, 3);
}

#[tokio::test]
async fn redeeming_takes_five_statements_and_refreshing_one() {
    let sandbox = Sandbox::new().await;
    let tenant = code_with_offline_access(&sandbox.stores().await).await;
    let database = sandbox.open().await;
    // BEGIN (which enters the tenant), the code, clearing the code's content, the refresh family, COMMIT.
    let before = database.statements();
    let family = redeem_with_family(&database, &tenant).await;
    assert_eq!(database.statements() - before, 5);
    for generation in 0..10 {
        let before = database.statements();
        assert!(takes_step(&database, &family, generation).await);
        assert_eq!(database.statements() - before, 1);
        assert!(!takes_step(&database, &family, generation).await, "and it is taken once");
    }
}

/// These run every second at each replica, so their number must not depend on the number of tenants.
#[tokio::test]
async fn key_leader_runs_two_statements_for_all_tenants() {
    let (_sandbox, database) = Sandbox::opened().await;
    for number in 0..30 {
        let tenant = fixtures::tenant(&format!("tenant-{number}"));
        requests::commit(&database, &requests::added(&tenant, &[])).await.unwrap();
        assert!(database.add_key(&tenant.id, &key_of(&tenant.id, 1)).await.unwrap());
    }
    let before = database.statements();
    assert!(database.try_lease("rotation", "here", NOW, NOW).await.unwrap());
    assert_eq!(database.statements() - before, 1);
    assert_eq!(database.find_due_keys(NOW, 50).await.unwrap().len(), 30);
    assert_eq!(database.statements() - before, 2);
    // BEGIN, the tenant with its schedule, its keys, COMMIT.
    let before = database.statements();
    assert!(database.load_keys(&fixtures::tenant_id("tenant-1")).await.unwrap().is_some());
    assert_eq!(database.statements() - before, 4);
}

#[tokio::test]
async fn statements_per_page_do_not_depend_on_its_length() {
    let (_sandbox, database) = Sandbox::opened().await;
    for number in 0..30 {
        let tenant = fixtures::tenant(&format!("tenant-{number}"));
        let svc = fixtures::client(&tenant, "svc");
        requests::commit(&database, &requests::added(&tenant, &[&svc])).await.unwrap();
    }
    // Searches by id, by one word, and by several words. Only the first page for several words needs a count.
    for (search, limit, expected, statements) in
        [("", 30, 30, 1), ("", 1, 1, 1), ("tenant", 30, 30, 1), ("tenant 2", 30, 11, 2)]
    {
        let mut query = TenantQuery { terms: search_terms(search), after: None, limit };
        let before = database.statements();
        let page = database.list_tenants(&query).await.unwrap();
        assert_eq!(page.len(), expected, "{search:?}");
        assert!(page.iter().all(|(_, state)| state.clients.is_empty() && state.resource_servers.len() == 1));
        assert_eq!(database.statements() - before, statements, "{search:?}");
        query.after = page.into_iter().next().map(|(cursor, _)| cursor);
        let before = database.statements();
        database.list_tenants(&query).await.unwrap();
        assert_eq!(database.statements() - before, 1, "{search:?}");
    }
    // BEGIN, the page, COMMIT.
    let tenant = fixtures::tenant_id("tenant-1");
    let before = database.statements();
    let clients = ClientQuery { limit: 9, ..ClientQuery::default() };
    assert_eq!(database.list_clients(&tenant, &clients).await.unwrap().len(), 1);
    let audit = AuditQuery { tenant: Some(tenant), limit: 9, ..AuditQuery::default() };
    assert!(database.list_audit(&audit).await.unwrap().is_empty());
    assert_eq!(database.statements() - before, 6);
}

/// A pushed request costs one statement, including the check of its limit. Opening it in a browser costs one
/// more.
#[tokio::test]
async fn pushed_request_takes_one_statement() {
    let (_sandbox, database) = Sandbox::opened().await;
    let acme = fixtures::tenant("acme");
    requests::commit(&database, &requests::added(&acme, &[])).await.unwrap();
    let content = PushedRequest {
        parameters: "scope=openid".to_owned(),
        pushed_from: Some("192.0.2.1/".to_owned()),
        opened_at: None,
    };
    let (key, web) = (OneTimeKey { slot: 3, digest: [7; 32] }, "web".parse().unwrap());
    let pushed = OneTime::new(&acme.id, &web, key, content, NOW);
    let store: &dyn OneTimeStore<PushedRequest> = &database;
    let most = MostWaiting { of_client: 9, of_source: 9, of_site: 9 };
    let before = database.statements();
    assert!(store.add(&acme.id, &pushed, most, NOW).await.unwrap());
    assert_eq!(database.statements() - before, 1);
    assert_eq!(store.find(&acme.id, &pushed.key).await.unwrap(), Some(pushed));
    assert_eq!(database.statements() - before, 2);
}
