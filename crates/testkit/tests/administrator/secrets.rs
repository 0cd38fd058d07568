//! Secrets rotate without an outage.

use administration::{EditError, NewSecretSettings, RotateSettings, SecretStep, SecretUsage, UsageLog as _};
use protocol::Lifetime;
use registry::SecretId;
use serde_json::json;
use testkit::fixtures::{NOW, client_id};

use crate::test_env::{caller, env, later, operator};

const DAY: u64 = 86_400;

#[tokio::test]
async fn rotating_keeps_the_old_secret_live_until_its_grace_is_over() {
    let env = env();
    let (acme, made) = env.tenant_with("acme", json!({ "client_id": "svc" })).await;
    let (old, svc) = (made.secret.unwrap().client_secret, client_id("svc"));
    let settings = RotateSettings { grace: Some(Lifetime::from_seconds(60)), expires_at: None };
    let new =
        env.administrator.rotate_secret(&caller(&operator(), NOW), &acme, &svc, settings).await.unwrap();
    let new = new.value;
    assert_eq!(new.secret.id, "s2");
    assert!(env.opens(&acme, &svc, &old, later(59)).await);
    assert!(!env.opens(&acme, &svc, &old, later(60)).await);
    assert!(env.opens(&acme, &svc, &new.client_secret, later(60)).await);
    let shown = env.administrator.secrets(&caller(&operator(), later(60)), &acme, &svc).await.unwrap();
    let status: Vec<_> = shown.iter().map(|secret| (secret.id.as_str(), secret.status.as_str())).collect();
    assert_eq!(status, [("s1", "expired"), ("s2", "live")]);
    let default = RotateSettings::default();
    env.administrator.rotate_secret(&caller(&operator(), NOW), &acme, &svc, default).await.unwrap();
    assert!(env.opens(&acme, &svc, &new.client_secret, later(DAY - 1)).await);
    assert!(!env.opens(&acme, &svc, &new.client_secret, later(DAY)).await);
}

#[tokio::test]
async fn a_sixth_live_secret_is_refused_and_one_may_go_to_make_room() {
    let env = env();
    let (acme, _) = env.tenant_with("acme", json!({ "client_id": "svc" })).await;
    let (administrator, svc) = (&env.administrator, client_id("svc"));
    let create = async || {
        administrator
            .create_secret(&caller(&operator(), NOW), &acme, &svc, NewSecretSettings::default())
            .await
    };
    for _ in 0..4 {
        create().await.unwrap();
    }
    assert!(matches!(create().await, Err(EditError::Conflict(why)) if why.contains('5')));
    let s3 = SecretId::new("s3");
    let revoked = administrator
        .step_secret(&caller(&operator(), later(1)), &acme, &svc, &s3, SecretStep::Revoke)
        .await
        .unwrap();
    assert_eq!((revoked.status.as_str(), revoked.revoked_at), ("revoked", Some(later(1).into())));
    assert_eq!(
        administrator
            .step_secret(&caller(&operator(), later(1)), &acme, &svc, &s3, SecretStep::Revoke)
            .await
            .unwrap(),
        revoked
    );
    let made = administrator
        .create_secret(&caller(&operator(), later(1)), &acme, &svc, NewSecretSettings::default())
        .await
        .unwrap();
    assert_eq!(made.value.secret.id, "s6");
}

#[tokio::test]
async fn an_end_moves_and_a_missing_secret_is_said_to_be_missing() {
    let env = env();
    let (acme, made) = env.tenant_with("acme", json!({ "client_id": "svc" })).await;
    let (value, svc, s1) = (made.secret.unwrap().client_secret, client_id("svc"), SecretId::new("s1"));
    let administrator = &env.administrator;
    let view = administrator
        .step_secret(&caller(&operator(), NOW), &acme, &svc, &s1, SecretStep::Expire(Some(later(9))))
        .await
        .unwrap();
    assert_eq!(view.expires_at, Some(later(9).into()));
    assert!(!env.opens(&acme, &svc, &value, later(9)).await);
    let s9 = SecretId::new("s9");
    let missing =
        administrator.step_secret(&caller(&operator(), NOW), &acme, &svc, &s9, SecretStep::Revoke).await;
    assert!(matches!(missing, Err(EditError::NotFound("secret"))));
}

#[tokio::test]
async fn usage_says_whether_a_secret_is_safe_to_delete() {
    let env = env();
    let (acme, _) = env.tenant_with("acme", json!({ "client_id": "svc" })).await;
    let (administrator, svc) = (&env.administrator, client_id("svc"));
    let settings = RotateSettings { grace: Some(Lifetime::from_seconds(9 * DAY)), expires_at: None };
    administrator.rotate_secret(&caller(&operator(), NOW), &acme, &svc, settings).await.unwrap();
    let used = |secret: &str, address: &str, seconds| SecretUsage {
        tenant: acme.clone(),
        client: svc.clone(),
        secret: SecretId::new(secret),
        address: address.to_owned(),
        at: later(seconds),
    };
    let usage = [used("s1", "192.0.2.1", 60), used("s1", "192.0.2.2", 90), used("s2", "192.0.2.1", 2 * DAY)];
    env.store.record_secret_usage(&usage).await.unwrap();
    let shown = administrator.secrets(&caller(&operator(), later(2 * DAY)), &acme, &svc).await.unwrap();
    let described: Vec<_> =
        shown.iter().map(|view| (view.addresses, view.last_used_at, view.safe_to_delete)).collect();
    assert_eq!(described, [(2, Some(later(90).into()), true), (1, Some(later(2 * DAY).into()), false)]);
}
