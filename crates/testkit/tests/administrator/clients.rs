//! Tests the creation of clients and their secrets.

use std::sync::atomic::Ordering;

use administration::edit;
use administration::edit::{EditError, TenantStep};
use registry::{Client, ClientStore as _, RevocationFacts, RevocationStore as _, RevokedSubject};
use secrets::{GeneratedSecret, SecretHash};
use serde_json::json;
use tenancy::{Tenant, TenantId};
use testkit::fixtures::{NOW, client_id};
use values::Timestamp;

use crate::test_env::{TestEnv, at, env, later, new_client, now};

#[tokio::test]
async fn only_chosen_secrets_are_hashed_slowly() {
    let env = env();
    let acme = env.tenant("acme").await;
    let ours = GeneratedSecret::generate();
    for (id, secret, is_chosen, form) in
        [("a", "correct horse", true, "chosen"), ("b", ours.secret.expose(), false, "generated")]
    {
        let new = new_client(json!({ "client_id": id, "client_secret": secret }));
        assert!(!format!("{new:?}").contains(secret));
        let made = env.administrator.of(&now(), &acme).create_client(new).await.unwrap().value;
        let shown = made.secret.unwrap();
        assert_eq!((shown.client_secret.as_str(), shown.secret.form.as_str()), (secret, form));
        assert!(is_chosen || secret.ends_with(&shown.secret.hint) && shown.secret.hint.len() == 4);
        assert!(!format!("{shown:?}").contains(secret));
        let row = env.store.find_client(&acme, &client_id(id)).await.unwrap().unwrap();
        assert_eq!(matches!(row.secrets[0].hash, SecretHash::Password(_)), is_chosen);
    }
    let new = new_client(json!({ "client_id": "c", "client_secret": "a\u{7}" }));
    let refused = env.administrator.of(&now(), &acme).create_client(new).await;
    assert!(matches!(refused, Err(EditError::Invalid(faults)) if faults[0].pointer == "/client_secret"));
}

/// The last second whose tokens of the tenant, or of this client, are invalid.
async fn until(env: &TestEnv, tenant: &TenantId, client: Option<&str>) -> Option<Timestamp> {
    let subject = client.map_or(RevokedSubject::Tenant, |id| RevokedSubject::Client(client_id(id)));
    let facts = env.store.find_revocations(tenant).await.unwrap();
    RevocationFacts::iter(&facts).find(|(known, _)| *known == subject).map(|(_, until)| until)
}

/// Tokens have times in whole seconds. A token of the second of the resumption may be from before the
/// suspension, so it stays invalid. The clock of this test advances whenever it is read, so no time is lost
/// waiting.
#[tokio::test]
async fn resumption_is_answered_when_new_tokens_are_valid() {
    let env = env();
    for name in ["acme", "globex"] {
        let (tenant, _) = env.tenant_with(name, json!({ "client_id": "svc" })).await;
        let (svc, administrator) = (client_id("svc"), &env.administrator);
        env.tick.store(1, Ordering::SeqCst);
        for step in [edit::client::Step::Suspend, edit::client::Step::Resume] {
            env.clock.store(NOW.seconds(), Ordering::SeqCst);
            administrator.of(&now(), &tenant).step::<Client>(&svc, step).await.unwrap();
        }
        assert_eq!(until(&env, &tenant, Some("svc")).await, Some(NOW), "tokens of this second stay revoked");
        assert!(env.clock.load(Ordering::SeqCst) > NOW.seconds() + 1, "the second after it was there");
        for step in [TenantStep::Suspend, TenantStep::Resume] {
            env.clock.store(NOW.seconds(), Ordering::SeqCst);
            administrator.of(&now(), &tenant).step::<Tenant>(&(), step).await.unwrap();
        }
        assert_eq!(until(&env, &tenant, None).await, Some(NOW));
        assert!(env.clock.load(Ordering::SeqCst) > NOW.seconds() + 1);
        // The suspension was long ago, so nothing waits.
        env.tick.store(0, Ordering::SeqCst);
        for (seconds, step) in [(10, edit::client::Step::Suspend), (10_000, edit::client::Step::Resume)] {
            administrator.of(&at(seconds), &tenant).step::<Client>(&svc, step).await.unwrap();
        }
        assert!(until(&env, &tenant, Some("svc")).await.unwrap() < later(10_000));
    }
}
