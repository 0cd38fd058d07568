//! Clients are made, changed, listed, stopped and deleted.

use administration::{EditError, EntityTag};
use registry::{ClientStatus, ClientStore as _, GeneratedSecret, SecretHash};
use serde_json::json;
use testkit::fixtures::{NOW, client_id};

use crate::doors::{door, later, new_client, operator};

#[tokio::test]
async fn a_client_without_an_id_or_a_secret_is_given_both() {
    let door = door();
    let acme = door.tenant("acme").await;
    let new = new_client(json!({ "scopes": ["read"] }));
    let made = door.administrator.create_client(&operator(), &acme, new, None, NOW).await.unwrap().value;
    let id = client_id(&made.client.client_id);
    let secret = made.secret.unwrap();
    assert!(GeneratedSecret::is_well_formed(&secret.client_secret));
    assert!(secret.client_secret.ends_with(&secret.secret.hint));
    assert!(door.opens(&acme, &id, &secret.client_secret, NOW).await);
    assert_eq!(EntityTag::of(&door.client(&acme, id.as_str()).await), EntityTag::of(&made.client));
    assert!(!format!("{secret:?}").contains(&secret.client_secret));
}

#[tokio::test]
async fn a_chosen_secret_is_hashed_slowly_and_one_of_our_form_is_not() {
    let door = door();
    let acme = door.tenant("acme").await;
    let ours = GeneratedSecret::generate();
    for (id, secret, is_chosen, form) in
        [("a", "correct horse", true, "chosen"), ("b", ours.secret.expose(), false, "generated")]
    {
        let new = new_client(json!({ "client_id": id, "client_secret": secret }));
        assert!(!format!("{new:?}").contains(secret));
        let made = door.administrator.create_client(&operator(), &acme, new, None, NOW).await.unwrap().value;
        let shown = made.secret.unwrap();
        assert_eq!((shown.client_secret.as_str(), shown.secret.form.as_str()), (secret, form));
        let row = door.store.find_client(&acme, &client_id(id)).await.unwrap().unwrap();
        assert_eq!(matches!(row.secrets[0].hash, SecretHash::Chosen(_)), is_chosen);
    }
    let new = new_client(json!({ "client_id": "c", "client_secret": "a\u{7}" }));
    let refused = door.administrator.create_client(&operator(), &acme, new, None, NOW).await;
    assert!(matches!(refused, Err(EditError::Invalid(faults)) if faults[0].pointer == "/client_secret"));
}

#[tokio::test]
async fn a_client_is_listed_changed_suspended_and_deleted() {
    let door = door();
    let (acme, _) = door.tenant_with("acme", json!({ "client_id": "svc" })).await;
    let (administrator, svc) = (&door.administrator, client_id("svc"));
    for id in ["a", "b"] {
        let new = new_client(json!({ "client_id": id }));
        administrator.create_client(&operator(), &acme, new, None, NOW).await.unwrap();
    }
    let first = administrator.clients(&operator(), &acme, None, None, 2, NOW).await.unwrap();
    let ids: Vec<_> = first.items.iter().map(|client| client.client_id.as_str()).collect();
    assert_eq!(ids, ["a", "b"]);
    let rest =
        administrator.clients(&operator(), &acme, None, first.next_cursor.as_deref(), 2, NOW).await.unwrap();
    assert_eq!((rest.items.len(), rest.next_cursor), (1, None));
    let patched = administrator
        .patch_client(&operator(), &acme, &svc, json!({ "name": "S", "audiences": ["x"] }), None, later(1))
        .await
        .unwrap();
    assert_eq!((patched.settings.name.as_deref(), patched.updated_at), (Some("S"), later(1)));
    // Another client's id is not an audience, although the two were never loaded together before.
    let clash = administrator
        .patch_client(&operator(), &acme, &svc, json!({ "resources": ["urn:x", "a"] }), None, NOW)
        .await;
    assert!(matches!(clash, Err(EditError::Invalid(_))));
    let status = async || door.store.find_client(&acme, &svc).await.unwrap().map(|client| client.status);
    administrator.suspend_client(&operator(), &acme, &svc, None, NOW).await.unwrap();
    assert_eq!(status().await, Some(ClientStatus::Suspended));
    administrator.resume_client(&operator(), &acme, &svc, None, NOW).await.unwrap();
    assert_eq!(status().await, Some(ClientStatus::Active));
    administrator.delete_client(&operator(), &acme, &svc, None, NOW).await.unwrap();
    assert_eq!(status().await, None);
    let again = administrator
        .create_client(&operator(), &acme, new_client(json!({ "client_id": "svc" })), None, NOW)
        .await;
    assert!(matches!(again, Err(EditError::Conflict(why)) if why.contains("reserved")));
}

#[tokio::test]
async fn a_client_id_that_another_client_has_as_audience_is_refused() {
    let door = door();
    let (acme, _) = door.tenant_with("acme", json!({ "client_id": "svc", "audiences": ["other"] })).await;
    let new = new_client(json!({ "client_id": "other" }));
    let refused = door.administrator.create_client(&operator(), &acme, new, None, NOW).await;
    assert!(matches!(refused, Err(EditError::Invalid(faults)) if faults[0].pointer == "/client_id"));
    let new = new_client(json!({ "client_id": "third", "audiences": ["svc"] }));
    let refused = door.administrator.create_client(&operator(), &acme, new, None, NOW).await;
    assert!(matches!(refused, Err(EditError::Invalid(faults)) if faults[0].pointer == "/audiences/0"));
}
