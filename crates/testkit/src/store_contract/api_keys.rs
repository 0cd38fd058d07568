//! API keys, whose commits do not wait for other tenants, and the addresses that used them.

use administration::audit::AuditRecord;
use administration::documents::{Instant, UsedFrom};
use administration::kinds;
use administration::kinds::change::ChangeKind;
use administration::kinds::state::ManagedBy;
use administration::kinds::{Change, Invalidation};
use administration::store::query::AuditQuery;
use administration::store::{CommitOutcome, readable};
use protocol::Scope;
use registry::{ApiKey, ApiKeyId, Client, UseOutcome};
use serde_json::json;
use tenancy::TenantId;
use values::{Lifetime, Timestamp};

use super::{Stores, add, planned_commit, published, resting_on_today};
use crate::fixtures::{self, NOW};
use crate::requests::CommitRequest;
use crate::{at_once, requests};

/// A tenant with the client `svc`.
async fn client(stores: &Stores, tenant: &str) -> Client {
    let tenant = fixtures::tenant(tenant);
    let svc = fixtures::client(&tenant, "svc");
    add(stores, &tenant, &[&svc]).await;
    svc
}

/// A commit with only these changes of keys, on the current keys, with one audit record for each.
async fn request(stores: &Stores, changes: Vec<Change>) -> CommitRequest {
    let record = |change: &Change| {
        let text = json!({ "at": "2026-01-01T00:00:00Z", "actor": "a", "action": "api_key.changed",
            "tenant": change.tenant().as_str(), "subject": "s", "detail": {} });
        serde_json::from_value::<AuditRecord>(text).unwrap()
    };
    let audit = changes.iter().map(record).collect();
    let request = CommitRequest { managed_by: ManagedBy::Api, audit, ..requests::declared(changes) };
    let mut request = resting_on_today(stores, &request).await;
    request.expected_revisions.clear();
    for state in &mut request.before {
        state.api_keys = listed(stores, &state.tenant.id, kinds::api_key::Query::default()).await;
    }
    request
}

async fn change(stores: &Stores, kind: ChangeKind, before: Option<&ApiKey>, after: &ApiKey) {
    let change = Change::ApiKey(requests::row(kind, before, after));
    let outcome = planned_commit(stores, &request(stores, vec![change]).await).await;
    assert!(matches!(outcome, CommitOutcome::Committed { .. }), "{kind:?}");
}

async fn listed(
    stores: &Stores,
    tenant: &TenantId,
    query: kinds::api_key::Query,
) -> Vec<administration::kinds::api_key::State> {
    let query = kinds::api_key::Query { limit: 10_000, ..query };
    readable(stores.list_api_keys(tenant, &query).await.unwrap())
}

async fn found(stores: &Stores, tenant: &TenantId, id: &ApiKeyId) -> Option<ApiKey> {
    stores.find_api_key(tenant, id).await.unwrap().map(|key| (*key).clone())
}

fn id(number: usize) -> String {
    format!("key{number:09}")
}

/// Each field has a different value.
pub async fn api_key_round_trips_in_its_tenant(stores: Stores) {
    let (acme, globex) = (client(&stores, "acme").await, client(&stores, "globex").await);
    let key = ApiKey {
        labels: vec!["a".to_owned(), "b \"c\" é".to_owned()],
        owner: Some("cus_é".to_owned()),
        scope: Scope::parse("b a").unwrap(),
        audiences: vec!["x".to_owned(), "y z".to_owned()],
        ..fixtures::api_key(&acme, &id(1))
    };
    let plain = fixtures::api_key(&globex, &id(1));
    for key in [&key, &plain] {
        change(&stores, ChangeKind::Added, None, key).await;
    }
    assert_eq!(found(&stores, &acme.tenant, &key.id).await, Some(key.clone()));
    assert_eq!(found(&stores, &globex.tenant, &key.id).await, Some(plain));
    let replaced = ApiKey {
        name: "n".to_owned(),
        labels: Vec::new(),
        owner: None,
        scope: Scope::default(),
        audiences: Vec::new(),
        expires_at: NOW + Lifetime::from_seconds(5),
        revoked_at: Some(NOW),
        replaced_by: Some(id(2).parse().unwrap()),
        ..key.clone()
    };
    change(&stores, ChangeKind::Revoked, Some(&key), &replaced).await;
    assert_eq!(found(&stores, &acme.tenant, &key.id).await, Some(replaced.clone()));
    let rows = listed(&stores, &acme.tenant, kinds::api_key::Query::default()).await;
    assert_eq!((rows.len(), &rows[0].key, rows[0].revision), (1, &replaced, 2));
    for (number, expected) in [(1, vec![&rows[0]]), (2, vec![])] {
        let query = kinds::api_key::Query { id: Some(id(number)), ..kinds::api_key::Query::default() };
        assert_eq!(listed(&stores, &acme.tenant, query).await.iter().collect::<Vec<_>>(), expected);
    }
    let ids = [key.id.clone()];
    let foreign = stores.find_api_keys(&globex.tenant, &acme.id, &ids).await.unwrap();
    assert_eq!(foreign.len(), 1, "its own");
    assert_ne!(foreign[0].key, replaced);
}

/// A commit compares the revision of the key, and not the revision of the tenant.
pub async fn api_key_change_requires_its_own_revision(stores: Stores) {
    let svc = client(&stores, "acme").await;
    let key = fixtures::api_key(&svc, &id(1));
    change(&stores, ChangeKind::Added, None, &key).await;
    let renamed = ApiKey { name: "other".to_owned(), ..key.clone() };
    let rename = vec![Change::ApiKey(requests::row(ChangeKind::Changed, Some(&key), &renamed))];
    let [first, second] = [request(&stores, rename.clone()).await, request(&stores, rename).await];
    let added = vec![Change::ApiKey(requests::row(ChangeKind::Added, None, &key))];
    let revision = first.before[0].revision;
    for (request, expected) in [(&first, true), (&second, false), (&request(&stores, added).await, false)] {
        let outcome = planned_commit(&stores, request).await;
        assert_eq!(matches!(outcome, CommitOutcome::Committed { .. }), expected);
    }
    let state = request(&stores, vec![Change::ApiKey(requests::row(ChangeKind::Added, None, &key))]).await;
    assert_eq!(state.before[0].revision, revision, "the tenant is as it was");
    let audit = AuditQuery { tenant: Some(svc.tenant.clone()), limit: 10, ..AuditQuery::default() };
    let records = stores.list_audit(&audit).await.unwrap();
    assert_eq!(records.iter().filter(|(_, record)| record.action == "api_key.changed").count(), 2);
}

/// No cache contains a new key, so only later changes are logged. Revoking a key revokes its tokens.
pub async fn api_key_changes_are_logged_and_revocation_ends_tokens(stores: Stores) {
    let svc = client(&stores, "acme").await;
    let key = fixtures::api_key(&svc, &id(1));
    let begin = stores.position().await.unwrap();
    change(&stores, ChangeKind::Added, None, &key).await;
    assert_eq!(stores.changes_since(begin).await.unwrap(), []);
    let revoked = ApiKey { revoked_at: Some(NOW), ..key.clone() };
    change(&stores, ChangeKind::Revoked, Some(&key), &revoked).await;
    let tenant = || svc.tenant.clone();
    let logged = published(&stores, begin).await;
    assert_eq!(logged, [Invalidation::ApiKey(tenant(), key.id.clone()), Invalidation::Revocations(tenant())]);
    let facts = stores.find_revocations(&svc.tenant).await.unwrap();
    let tag = registry::CredentialTag::of_api_key(&svc.tenant, &svc.id, &key.id);
    assert!(facts.issued_until(svc.id.as_str(), tag).is_some());
}

/// Several replicas commit. No commit of a key waits for a key of another tenant, and each audit record gets
/// a number.
pub async fn api_keys_of_two_tenants_are_created_concurrently(stores: Stores) {
    let clients = [client(&stores, "acme").await, client(&stores, "globex").await];
    let made = (0..20).map(|number| {
        let (stores, key) = (stores.clone(), fixtures::api_key(&clients[number % 2], &id(number)));
        async move { change(&stores, ChangeKind::Added, None, &key).await }
    });
    at_once(made).await;
    for svc in &clients {
        let count = stores.count_live_api_keys(&svc.tenant, &svc.id, NOW).await.unwrap();
        assert_eq!(
            (count, listed(&stores, &svc.tenant, kinds::api_key::Query::default()).await.len()),
            (10, 10)
        );
        let day = NOW + Lifetime::from_seconds(86_400);
        assert_eq!(stores.count_live_api_keys(&svc.tenant, &svc.id, day).await.unwrap(), 0);
        let audit = AuditQuery { tenant: Some(svc.tenant.clone()), limit: 100, ..AuditQuery::default() };
        let records = stores.list_audit(&audit).await.unwrap();
        let mut positions: Vec<_> = records.iter().map(|(position, _)| *position).collect();
        positions.dedup();
        assert_eq!(positions.len(), records.len());
    }
}

/// Several replicas create keys of one client, and each has counted before the others commit.
pub async fn concurrent_api_keys_do_not_exceed_the_limit(stores: Stores) {
    let clients = [client(&stores, "acme").await, client(&stores, "globex").await];
    let made = (0..30).map(|number| {
        let (stores, key) = (stores.clone(), fixtures::api_key(&clients[number % 2], &id(number)));
        async move {
            let added = Change::ApiKey(requests::row(ChangeKind::Added, None, &key));
            let mut request = request(&stores, vec![added]).await;
            request.edit.live_api_keys = Some(if number % 2 == 0 { 4 } else { 100 });
            planned_commit(&stores, &request).await
        }
    });
    at_once(made).await;
    for (svc, expected) in clients.iter().zip([5, 15]) {
        let count = stores.count_live_api_keys(&svc.tenant, &svc.id, NOW).await.unwrap();
        assert_eq!(count, expected, "{}", svc.tenant);
    }
}

/// The most recent addresses of each key are kept. Unknown keys are ignored.
pub async fn api_key_uses_are_stored_with_addresses(stores: Stores) {
    let (acme, globex) = (client(&stores, "acme").await, client(&stores, "globex").await);
    for svc in [&acme, &globex] {
        change(&stores, ChangeKind::Added, None, &fixtures::api_key(svc, &id(1))).await;
    }
    let presented = |outcome, number: usize, address: u32, at: u64| kinds::api_key::Used {
        tenant: acme.tenant.clone(),
        key: id(number).parse().unwrap(),
        from: UsedFrom::presented(format!("192.0.2.{address}"), outcome, Timestamp::from_seconds(at)),
    };
    let used = |number, address, at| presented(UseOutcome::Accepted, number, address, at);
    let refused = |address, at| presented(UseOutcome::Refused, 1, address, at);
    let many: Vec<_> = (0..10).map(|address| used(1, address, 100 + u64::from(address))).collect();
    stores.record_api_key_usage(&many).await.unwrap();
    stores.record_api_key_usage(&[used(1, 9, 50), used(2, 1, 1)]).await.unwrap();
    let rows = listed(&stores, &acme.tenant, kinds::api_key::Query::default()).await;
    let times = |row: &kinds::api_key::State, time: fn(&UsedFrom) -> Option<Instant>| {
        row.used_from.iter().filter_map(time).map(|at| at.0.seconds()).collect::<Vec<_>>()
    };
    let latest: Vec<_> = (102..110).rev().collect();
    assert_eq!(times(&rows[0], |from| from.last_used_at), latest);
    // Refused attempts, from the same or from other addresses, do not displace a use.
    let attempts: Vec<_> = (20..30).map(|nth| refused(nth, 200 + u64::from(nth))).collect();
    stores.record_api_key_usage(&attempts).await.unwrap();
    stores.record_api_key_usage(&[refused(9, 150), used(1, 2, 50)]).await.unwrap();
    let rows = listed(&stores, &acme.tenant, kinds::api_key::Query::default()).await;
    let mut kept = times(&rows[0], |from| from.last_used_at);
    kept.sort_unstable_by(|one, other| other.cmp(one));
    assert_eq!(kept, latest);
    let refused: Vec<_> = (222..230).rev().chain([150]).collect();
    assert_eq!(times(&rows[0], |from| from.presented_after_end_at), refused);
    assert_eq!(listed(&stores, &globex.tenant, kinds::api_key::Query::default()).await[0].used_from, []);
    for (since, unused) in [(109, 0), (110, 1)] {
        let query = kinds::api_key::Query {
            unused_since: Some(Timestamp::from_seconds(since)),
            ..kinds::api_key::Query::default()
        };
        assert_eq!(listed(&stores, &acme.tenant, query).await.len(), unused, "{since}");
    }
}

/// Keys that expired or were revoked more than a month ago are deleted. The client's valid keys stay.
pub async fn invalid_api_keys_are_deleted_after_a_month(stores: Stores) {
    let svc = client(&stores, "acme").await;
    let days = |days: u64| Lifetime::from_seconds(days * 86_400);
    for (number, expires_at, revoked_at) in [
        (1, NOW + days(90), None),
        (2, NOW + days(90), Some(NOW)),
        (3, NOW + days(1), None),
        (4, NOW + days(2), Some(NOW + days(1))),
    ] {
        let key = ApiKey { expires_at, revoked_at, ..fixtures::api_key(&svc, &id(number)) };
        change(&stores, ChangeKind::Added, None, &key).await;
    }
    for (after, left) in [(29, 4), (30, 3), (31, 1), (119, 1), (120, 0)] {
        stores.prune_ended_secrets(NOW + days(after), 100).await.unwrap();
        assert_eq!(
            listed(&stores, &svc.tenant, kinds::api_key::Query::default()).await.len(),
            left,
            "{after}"
        );
    }
}
