//! Tests the creation of clients and their secrets.

use administration::{EditError, EntityTag};
use registry::ClientStore as _;
use secrets::{GeneratedSecret, SecretHash};
use serde_json::json;
use testkit::fixtures::{NOW, client_id};

use crate::test_env::{env, new_client, now};

#[tokio::test]
async fn a_client_without_an_id_or_a_secret_is_given_both() {
    let env = env();
    let acme = env.tenant("acme").await;
    let new = new_client(json!({ "scopes": ["read"] }));
    let made = env.administrator.create_client(&now(), &acme, new).await.unwrap().value;
    let id = client_id(&made.client.client_id);
    let secret = made.secret.unwrap();
    assert!(GeneratedSecret::is_well_formed(&secret.client_secret));
    assert!(secret.client_secret.ends_with(&secret.secret.hint));
    assert!(env.opens(&acme, &id, &secret.client_secret, NOW).await);
    let shown = env.client(&acme, id.as_str()).await;
    assert_eq!(EntityTag::from_document(&shown), EntityTag::from_document(&made.client));
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
        let made = env.administrator.create_client(&now(), &acme, new).await.unwrap().value;
        let shown = made.secret.unwrap();
        assert_eq!((shown.client_secret.as_str(), shown.secret.form.as_str()), (secret, form));
        let row = env.store.find_client(&acme, &client_id(id)).await.unwrap().unwrap();
        assert_eq!(matches!(row.secrets[0].hash, SecretHash::Password(_)), is_chosen);
    }
    let new = new_client(json!({ "client_id": "c", "client_secret": "a\u{7}" }));
    let refused = env.administrator.create_client(&now(), &acme, new).await;
    assert!(matches!(refused, Err(EditError::Invalid(faults)) if faults[0].pointer == "/client_secret"));
}
