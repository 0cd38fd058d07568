//! Clients are created, changed, listed, suspended and deleted.

use administration::{
    Change, ChangeKind, ClientStep, CommitOutcome, CommitRequest, EditError, EntityTag, ManagedBy,
    TenantRows as _,
};
use registry::{Client, ClientStore as _};
use secrets::{GeneratedSecret, SecretHash};
use serde_json::json;
use testkit::fixtures::{NOW, client_id};
use testkit::{fixtures, requests};

use crate::test_env::{caller, env, new_client, operator, small_env};

#[tokio::test]
async fn a_client_without_an_id_or_a_secret_is_given_both() {
    let env = env();
    let acme = env.tenant("acme").await;
    let new = new_client(json!({ "scopes": ["read"] }));
    let made = env.administrator.create_client(&caller(&operator(), NOW), &acme, new).await.unwrap().value;
    let id = client_id(&made.client.client_id);
    let secret = made.secret.unwrap();
    assert!(GeneratedSecret::is_well_formed(&secret.client_secret));
    assert!(secret.client_secret.ends_with(&secret.secret.hint));
    assert!(env.opens(&acme, &id, &secret.client_secret, NOW).await);
    assert_eq!(EntityTag::of(&env.client(&acme, id.as_str()).await), EntityTag::of(&made.client));
    assert!(!format!("{secret:?}").contains(&secret.client_secret));
}

#[tokio::test]
async fn a_chosen_secret_is_hashed_slowly_and_one_of_our_form_is_not() {
    let env = env();
    let acme = env.tenant("acme").await;
    let ours = GeneratedSecret::generate();
    for (id, secret, is_chosen, form) in
        [("a", "correct horse", true, "chosen"), ("b", ours.secret.expose(), false, "generated")]
    {
        let new = new_client(json!({ "client_id": id, "client_secret": secret }));
        assert!(!format!("{new:?}").contains(secret));
        let made =
            env.administrator.create_client(&caller(&operator(), NOW), &acme, new).await.unwrap().value;
        let shown = made.secret.unwrap();
        assert_eq!((shown.client_secret.as_str(), shown.secret.form.as_str()), (secret, form));
        let row = env.store.find_client(&acme, &client_id(id)).await.unwrap().unwrap();
        assert_eq!(matches!(row.secrets[0].hash, SecretHash::Password(_)), is_chosen);
    }
    let new = new_client(json!({ "client_id": "c", "client_secret": "a\u{7}" }));
    let refused = env.administrator.create_client(&caller(&operator(), NOW), &acme, new).await;
    assert!(matches!(refused, Err(EditError::Invalid(faults)) if faults[0].pointer == "/client_secret"));
}

#[tokio::test]
async fn a_client_id_that_another_client_has_as_audience_is_refused() {
    let env = env();
    let (acme, _) = env.tenant_with("acme", json!({ "client_id": "svc", "audiences": ["other"] })).await;
    let new = new_client(json!({ "client_id": "other" }));
    let refused = env.administrator.create_client(&caller(&operator(), NOW), &acme, new).await;
    assert!(matches!(refused, Err(EditError::Invalid(faults)) if faults[0].pointer == "/client_id"));
    let new = new_client(json!({ "client_id": "third", "audiences": ["svc"] }));
    let refused = env.administrator.create_client(&caller(&operator(), NOW), &acme, new).await;
    assert!(matches!(refused, Err(EditError::Invalid(faults)) if faults[0].pointer == "/audiences/0"));
}

/// Rows that exceed a limit, because they are older than it or because it was higher, keep working.
#[tokio::test]
async fn a_list_beyond_the_limit_goes_on_and_shrinks_but_does_not_grow() {
    let env = env();
    let entries = |count: usize| (0..count).map(|nth| format!("urn:r:{nth}")).collect::<Vec<_>>();
    for id in ["acme", "globex"] {
        let tenant = env.tenant(id).await;
        let new = new_client(json!({ "client_id": "new", "scopes": entries(101) }));
        let refused = env.administrator.create_client(&caller(&operator(), NOW), &tenant, new).await;
        assert!(matches!(refused, Err(EditError::Invalid(faults)) if faults[0].pointer == "/scopes"));
        let old = Client { audiences: entries(120), ..fixtures::client(&fixtures::tenant(id), "old") };
        let row = requests::row(ChangeKind::Added, None, &old);
        let request = CommitRequest {
            managed_by: ManagedBy::Api,
            expected_revisions: vec![(tenant.clone(), 1)],
            ..requests::declared(vec![Change::Client(row)])
        };
        let outcome = env.store.commit(&request).await.unwrap();
        assert!(matches!(outcome, CommitOutcome::Committed { .. }));
        for (patch, expected) in [
            (json!({ "name": "Old" }), None),
            (json!({ "audiences": entries(121) }), Some("/audiences")),
            (json!({ "resources": entries(101) }), Some("/resources")),
            (json!({ "audiences": entries(110) }), None),
            (json!({ "audiences": entries(111) }), Some("/audiences")),
            (json!({ "audiences": entries(2) }), None),
            (json!({ "audiences": entries(101) }), Some("/audiences")),
            (json!({ "audiences": entries(100) }), None),
        ] {
            let described = patch.to_string();
            let patched =
                env.administrator.patch::<Client>(&caller(&operator(), NOW), &tenant, &old.id, patch).await;
            let found = match patched {
                Ok(_) => None,
                Err(EditError::Invalid(faults)) => Some(faults[0].pointer.clone()),
                Err(error) => panic!("{error}"),
            };
            assert_eq!(found.as_deref(), expected, "{described}");
        }
    }
}

#[tokio::test]
async fn a_tenant_has_as_many_clients_as_the_limit_says() {
    let env = small_env(2);
    for id in ["acme", "globex"] {
        let tenant = env.tenant(id).await;
        let create = async |id: &str| {
            let new = new_client(json!({ "client_id": id }));
            env.administrator.create_client(&caller(&operator(), NOW), &tenant, new).await.map(drop)
        };
        create("a").await.unwrap();
        create("b").await.unwrap();
        assert!(
            matches!(create("c").await, Err(EditError::LimitReached(why)) if why.contains("limits.clients is 2"))
        );
        env.administrator
            .step::<Client>(&caller(&operator(), NOW), &tenant, &client_id("a"), ClientStep::Delete)
            .await
            .unwrap();
        create("c").await.unwrap();
    }
}
