//! When a tenant's keys are due. They are found by date, and never by reading all tenants.

use administration::kinds::Change;
use administration::kinds::change::{ChangeKind, FirstKey, SecretChangeKind};
use administration::store::VerifierFetch;
use keys::{KeyId, KeyRecord};
use registry::Client;
use tenancy::{AccessTokenPolicy, Tenant, TenantId};
use values::{Lifetime, Timestamp};

use super::key_commits::{renamed, two_tenants};
use super::{Stores, add, apply, at, commit};
use crate::fixtures::{self, NOW};
use crate::requests::{self, CommitRequest};

/// The scheduler finds tenants by this date. A token request may have created the first key.
pub async fn requested_key_is_due_when_activated(stores: Stores) {
    let acme = add(&stores, &fixtures::tenant("acme"), &[]).await;
    assert_eq!(due_at(&stores, &acme).await, None);
    let key = KeyRecord { active_from: at(5), ..fixtures::key(1) };
    assert!(stores.add_key(&acme, &key).await.unwrap());
    assert_eq!(due_at(&stores, &acme).await, Some(at(5)));
    // A refused key does not change the date.
    assert!(!stores.add_key(&acme, &fixtures::key(1)).await.unwrap());
    assert_eq!(due_at(&stores, &acme).await, Some(at(5)));
    commit(&stores, &planning(&acme, Some(at(90)))).await;
    assert!(stores.add_key(&acme, &fixtures::key(2)).await.unwrap());
    assert_eq!(due_at(&stores, &acme).await, Some(NOW));
}

/// The key is created together with its tenant.
pub async fn imported_first_key_is_due_when_activated(stores: Stores) {
    let key = KeyRecord { active_from: at(5), ..fixtures::key(1) };
    let acme = fixtures::tenant("acme");
    let mut request = requests::added(&acme, &[&fixtures::client(&acme, "svc")]);
    let first = FirstKey { id: key.id, algorithm: key.algorithm, thumbprint: key.thumbprint.clone() };
    request.edit.changes.push(Change::FirstKey(acme.id.clone(), first));
    request.edit.keys.added.push((acme.id.clone(), key));
    commit(&stores, &request).await;
    assert_eq!(due_at(&stores, &acme.id).await, Some(at(5)));
}

/// The longest due comes first, and equal dates are ordered by name. At most the requested number is
/// returned.
pub async fn keys_are_found_by_their_due_dates(stores: Stores) {
    let mut ids = Vec::new();
    for (name, due) in [("a", Some(30)), ("b", Some(10)), ("c", Some(20)), ("d", Some(10)), ("e", None)] {
        let id = add(&stores, &fixtures::tenant(name), &[]).await;
        commit(&stores, &planning(&id, due.map(at))).await;
        ids.push(id);
    }
    let named = |names: &[usize]| names.iter().map(|nth| ids[*nth].clone()).collect::<Vec<_>>();
    for (now, limit, expected) in [
        (9, 9, &[][..]),
        (10, 9, &[1, 3]),
        (10, 1, &[1]),
        (25, 9, &[1, 3, 2]),
        (25, 2, &[1, 3]),
        (99, 9, &[1, 3, 2, 0]),
        (99, 0, &[]),
    ] {
        assert_eq!(stores.find_due_keys(at(now), limit).await.unwrap(), named(expected), "{now} {limit}");
    }
    let next = async |tenant, limit| stores.next_key_steps(tenant, limit).await.unwrap();
    let named_at = |steps: &[(usize, u64)]| {
        steps.iter().map(|(nth, due)| (ids[*nth].clone(), at(*due))).collect::<Vec<_>>()
    };
    assert_eq!(next(None, 3).await, named_at(&[(1, 10), (3, 10), (2, 20)]));
    assert_eq!(next(Some(&ids[0]), 1).await, named_at(&[(0, 30)]));
    assert_eq!(next(Some(&ids[4]), 1).await, []);
    commit(&stores, &planning(&ids[1], None)).await;
    commit(&stores, &planning(&ids[3], Some(at(40)))).await;
    assert_eq!(stores.find_due_keys(at(30), 9).await.unwrap(), named(&[2, 0]));
    // Keys of inactive tenants are removed on time, too.
    let suspended = fixtures::tenant("c");
    apply(&stores, requests::tenant(ChangeKind::Suspended, &suspended, &suspended)).await;
    assert_eq!(stores.find_due_keys(at(30), 9).await.unwrap(), named(&[2, 0]));
}

/// Lifetimes and policies are in rows of tenants and clients. Only tenants with keys become due. If the
/// commit contains a planned date, that date counts.
pub async fn policy_changes_make_keys_due(stores: Stores) {
    let [acme, globex] = two_tenants(&stores).await;
    let tenant = fixtures::tenant("acme");
    let svc = Client { secrets: vec![fixtures::secret("s1")], ..fixtures::client(&tenant, "svc") };
    let bare = Client { secrets: Vec::new(), ..svc.clone() };
    let client = |kind| requests::client(kind, &bare, &bare);
    let of_tenant = |kind| requests::tenant(kind, &tenant, &tenant);
    let due_after = async |request: CommitRequest| {
        for id in [&acme, &globex] {
            commit(&stores, &planning(id, Some(at(500)))).await;
        }
        commit(&stores, &CommitRequest { now: at(7), ..request }).await;
        assert_eq!(due_at(&stores, &globex).await, Some(at(500)));
        due_at(&stores, &acme).await
    };
    for change in [
        client(ChangeKind::Added),
        client(ChangeKind::Changed),
        client(ChangeKind::Retired),
        client(ChangeKind::Restored),
        client(ChangeKind::Suspended),
        client(ChangeKind::Resumed),
        renamed("acme"),
        of_tenant(ChangeKind::Retired),
        of_tenant(ChangeKind::Restored),
        of_tenant(ChangeKind::Suspended),
        of_tenant(ChangeKind::Resumed),
    ] {
        let request = requests::declared(vec![change]);
        assert_eq!(due_after(request.clone()).await, Some(at(7)), "{:?}", request.edit.changes);
    }
    for planned in [Some(at(9)), None] {
        let mut request = requests::declared(vec![client(ChangeKind::Changed), renamed("acme")]);
        request.edit.keys.due.push((acme.clone(), planned));
        assert_eq!(due_after(request).await, planned);
    }
    let mut secret = requests::declared(Vec::new());
    requests::add_secret(&mut secret, &svc, svc.secrets[0].clone(), None);
    let server = &tenant.resource_servers[0];
    for others in [
        secret,
        requests::declared(vec![requests::secret(&svc, &svc.secrets[0], SecretChangeKind::Revoked)]),
        requests::declared(vec![requests::resource_server(&acme, ChangeKind::Retired, Some(server), server)]),
    ] {
        assert_eq!(due_after(others).await, Some(at(500)));
    }
    // Keys that change without a plan are due as well.
    assert_eq!(due_after(requests::announcing(&acme, &[fixtures::key(2)])).await, Some(at(7)));
    assert_eq!(due_after(requests::declared(vec![client(ChangeKind::Deleted)])).await, Some(at(7)));

    let without = fixtures::tenant("without");
    add(&stores, &without, &[&fixtures::client(&without, "svc")]).await;
    apply(&stores, renamed("without")).await;
    assert_eq!(due_at(&stores, &without.id).await, None);
}

/// A commit that lengthens the lifetime of tokens keeps keys for longer, whenever the next step is taken. No
/// key is removed earlier than planned, and no removed or revoked key returns.
pub async fn keys_are_kept_for_longer_token_lifetimes(stores: Stores) {
    let [acme, globex] = two_tenants(&stores).await;
    let life = |number, retiring: Option<u64>, removed| KeyRecord {
        retiring_from: retiring.map(at),
        removed_at: Some(at(removed)),
        ..fixtures::key(number)
    };
    // Keys that are removed, retiring, or not signing yet, and three that were revoked with different clocks.
    for id in [&acme, &globex] {
        let lives = [
            life(2, Some(5), 100),
            life(3, Some(90), 101),
            life(4, Some(150), 9_000),
            life(5, Some(110), 110),
            life(6, None, 120),
            life(7, Some(130), 125),
        ];
        let own = |key: KeyRecord| KeyRecord { thumbprint: format!("{} of {id}", key.thumbprint), ..key };
        commit(&stores, &requests::announcing(id, &lives.map(own))).await;
    }
    let ends = async |id| {
        let records = stores.find_keys(id).await.unwrap();
        let since = |end: Timestamp| end.seconds() - NOW.seconds();
        records.keys.iter().map(|key| key.removed_at.map(since)).collect::<Vec<_>>()
    };
    let planned = ends(&acme).await;
    let tenant = fixtures::tenant("acme");
    let kept = tenant.signing.skew.seconds() + tenant.signing.jwks_max_age.seconds();
    let of_tenant = |lifetime| {
        let lifetime = Lifetime::from_seconds(lifetime);
        let access_token = AccessTokenPolicy { lifetime, ..tenant.access_token.clone() };
        let after = Tenant { access_token, ..tenant.clone() };
        requests::tenant(ChangeKind::Changed, &tenant, &after)
    };
    let bare = Client { secrets: Vec::new(), ..fixtures::client(&tenant, "svc") };
    let client = |kind, lifetime| {
        requests::client(kind, &bare, &fixtures::with_token_lifetime(bare.clone(), lifetime))
    };
    // The longest lifetime after each change. The last two changes do not affect the keys.
    for (change, longest) in [
        (of_tenant(5), 5),
        (client(ChangeKind::Added, 10_000), 10_000),
        (client(ChangeKind::Changed, 20_000), 20_000),
        (of_tenant(30_000), 30_000),
        (client(ChangeKind::Deleted, 20_000), 30_000),
        (of_tenant(7), 30_000),
    ] {
        let request = requests::declared(vec![change]);
        commit(&stores, &CommitRequest { now: at(100), ..request.clone() }).await;
        let mut expected = planned.clone();
        expected[2] = Some((90 + longest + kept).max(101));
        expected[3] = Some((150 + longest + kept).max(9_000));
        assert_eq!(ends(&acme).await, expected, "{:?}", request.edit.changes);
        assert_eq!(ends(&globex).await, planned, "nothing of another tenant");
    }
}

/// The fetches of the tenant are deleted, too, and a late record does not add them again. A tenant with a
/// similar name is not affected.
pub async fn a_deleted_tenant_has_no_due_keys(stores: Stores) {
    let [acme, globex] = two_tenants(&stores).await;
    let fetches = [&acme, &globex].map(|tenant| VerifierFetch {
        tenant: tenant.clone(),
        verifier: "verifier".to_owned(),
        last_fetch_at: NOW,
        newest_key: KeyId::numbered(1),
    });
    stores.record_verifier_fetches(&fetches).await.unwrap();
    let tenant = fixtures::tenant("acme");
    apply(&stores, requests::tenant(ChangeKind::Deleted, &tenant, &tenant)).await;
    stores.record_verifier_fetches(&fetches).await.unwrap();
    assert!(!stores.add_key(&acme, &fixtures::key(2)).await.unwrap());
    assert_eq!(stores.find_due_keys(at(1000), 9).await.unwrap(), std::slice::from_ref(&globex));
    for (id, there) in [(&acme, false), (&globex, true)] {
        let state = stores.load_keys(id).await.unwrap().unwrap();
        assert_eq!(state.lifecycle.deleted_at.is_none(), there);
        assert_eq!((state.due_at.is_some(), state.records.keys.len()), (there, usize::from(there)));
        assert_eq!(state.records.next, KeyId::numbered(2));
        assert_eq!(stores.verifier_fetches(id).await.unwrap().len(), usize::from(there));
    }
}

/// A commit that only sets when to check the tenant's keys.
pub(super) fn planning(tenant: &TenantId, due_at: Option<Timestamp>) -> CommitRequest {
    let mut request = requests::declared(Vec::new());
    request.edit.keys.due.push((tenant.clone(), due_at));
    request
}

async fn due_at(stores: &Stores, tenant: &TenantId) -> Option<Timestamp> {
    stores.load_keys(tenant).await.unwrap().unwrap().due_at
}
