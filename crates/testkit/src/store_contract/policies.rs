//! The facts that decide the life cycle of a tenant's keys: current and previous lifetimes of tokens and of
//! cached key sets.

use administration::edit::Edit;
use administration::kinds::change::ChangeKind;
use administration::kinds::state::ManagedBy;
use administration::store::TenantMetadata;
use keys::KeyId;
use tenancy::{AccessTokenPolicy, SigningPolicy, Tenant};
use values::{Lifetime, Timestamp};

use super::key_commits::two_tenants;
use super::key_schedules::planning;
use super::{Stores, add, apply, at, commit};
use crate::fixtures;
use crate::requests::{self, CommitRequest};

/// The longest lifetime of a token is the tenant's, or that of one of its live or suspended clients.
pub async fn keys_are_loaded_with_the_longest_token_lifetime(stores: Stores) {
    assert_eq!(stores.load_keys(&fixtures::tenant_id("nobody")).await.unwrap(), None);
    let seconds = Lifetime::from_seconds;
    let of = |id: &str, lifetime| Tenant {
        access_token: AccessTokenPolicy { lifetime: seconds(lifetime), ..AccessTokenPolicy::default() },
        ..fixtures::tenant(id)
    };
    let (acme, globex) = (of("acme", 100), of("globex", 7));
    let lives = [("long", Some(900)), ("longer", Some(1000)), ("short", Some(5)), ("none", None)];
    let clients = lives.map(|(id, lifetime)| {
        let client = fixtures::client(&acme, id);
        lifetime.into_iter().fold(client, fixtures::with_token_lifetime)
    });
    add(&stores, &acme, &clients.each_ref()).await;
    add(&stores, &globex, &[]).await;
    let longest = async |tenant: &Tenant| {
        let state = stores.load_keys(&tenant.id).await.unwrap().unwrap();
        let known = stores.load_state(&tenant.id).await.unwrap().unwrap();
        assert_eq!(state.longest_token, known.longest_lifetime());
        assert_eq!((&state.tenant, state.lifecycle), (&known.tenant, known.lifecycle));
        assert_eq!(
            (state.revision, state.previous_tokens_until),
            (known.revision, known.previous_tokens_until)
        );
        state.longest_token.seconds()
    };
    assert_eq!((longest(&acme).await, longest(&globex).await), (1000, 7));
    for (nth, kind, expected) in [
        (1, ChangeKind::Suspended, 1000),
        (1, ChangeKind::Retired, 900),
        (1, ChangeKind::Restored, 1000),
        (1, ChangeKind::Deleted, 900),
        (0, ChangeKind::Deleted, 100),
    ] {
        apply(&stores, requests::client(kind, &clients[nth], &clients[nth])).await;
        assert_eq!(longest(&acme).await, expected, "{kind:?}");
    }
    let mut noting = with_metadata(&acme, None, 0);
    noting.edit.tenant_metadata[0].previous_tokens_until = Some(at(77));
    commit(&stores, &noting).await;
    commit(&stores, &planning(&acme.id, Some(at(5)))).await;
    longest(&acme).await;
    let state = stores.load_keys(&acme.id).await.unwrap().unwrap();
    assert_eq!((state.previous_tokens_until, state.due_at), (Some(at(77)), Some(at(5))));
    assert_eq!((state.previous_jwks, state.records.next), (None, KeyId::numbered(1)));
}

/// While earlier copies may be cached, the longest age and the latest expiry count.
pub async fn previous_key_sets_are_remembered_while_cacheable(stores: Stores) {
    let [acme, globex] = two_tenants(&stores).await;
    let tenant = fixtures::tenant("acme");
    let noted = async |id| {
        let state = stores.load_keys(id).await.unwrap().unwrap();
        state.previous_jwks.map(|(age, until)| (age.seconds(), until))
    };
    for (now, given, expected) in [
        (0, None, None),
        (0, Some((60, at(100))), Some((60, at(100)))),
        (1, None, Some((60, at(100)))),
        (1, Some((20, at(150))), Some((60, at(150)))),
        (2, Some((70, at(90))), Some((70, at(150)))),
        (149, Some((5, at(160))), Some((70, at(160)))),
        (160, Some((5, at(170))), Some((5, at(170)))),
        (500, Some((3, at(501))), Some((3, at(501)))),
    ] {
        commit(&stores, &with_metadata(&tenant, given, now)).await;
        assert_eq!(noted(&acme).await, expected, "{now}");
        assert_eq!(noted(&globex).await, None);
    }
    // The value is stored separately from the date on which keys are due.
    commit(&stores, &planning(&acme, None)).await;
    assert_eq!(noted(&acme).await, Some((3, at(501))));
    commit(&stores, &planning(&acme, Some(at(5)))).await;
    commit(&stores, &with_metadata(&tenant, Some((4, at(600))), 501)).await;
    assert_eq!(stores.load_keys(&acme).await.unwrap().unwrap().due_at, Some(at(5)));
}

/// A request reads the keys and the age of cached copies in one read.
pub async fn keys_include_the_cache_lifetime_of_copies(stores: Stores) {
    let [acme, globex] = two_tenants(&stores).await;
    let tenant = fixtures::tenant("acme");
    let [jwks_max_age, jwks_stale] = [7_000, 50].map(Lifetime::from_seconds);
    let signing = SigningPolicy { jwks_max_age, jwks_stale, ..tenant.signing.clone() };
    let changed = Tenant { signing, ..tenant.clone() };
    apply(&stores, requests::tenant(ChangeKind::Changed, &tenant, &changed)).await;
    for (id, expected) in [(&acme, 7_050), (&globex, 360)] {
        let planned = stores.load_keys(id).await.unwrap().unwrap().records;
        let served = stores.find_keys(id).await.unwrap();
        assert_eq!([planned.copies_kept, served.copies_kept].map(Lifetime::seconds), [expected; 2]);
    }
}

fn with_metadata(tenant: &Tenant, previous_jwks: Option<(u64, Timestamp)>, now: u64) -> CommitRequest {
    let metadata = TenantMetadata {
        tenant: tenant.id.clone(),
        fingerprint: None,
        previous_tokens_until: None,
        previous_jwks: previous_jwks.map(|(age, until)| (Lifetime::from_seconds(age), until)),
    };
    let request = requests::declared(Vec::new());
    let edit = Edit { tenant_metadata: vec![metadata], ..request.edit };
    CommitRequest { managed_by: ManagedBy::Api, edit, now: at(now), ..request }
}
