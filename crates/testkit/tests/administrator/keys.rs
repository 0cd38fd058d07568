//! Tests signing keys: times, repeated commands, permissions, and what stays secret.

use administration::documents::{ImportSettings, KeyView};
use administration::edit::{EditError, KeyCommand};
use administration::kinds::Invalidation;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use keys::{KeyId, Kid, PrivateKeyDocument, SigningKey};
use protocol::SigningAlgorithm;
use serde_json::{Value, json};
use tenancy::TenantId;
use testkit::fixtures::{NOW, tenant_id};

use crate::test_env::{
    self, TestEnv, at, caller, env, idempotency_key, later, now, of_tenant, operator, repeating,
};

/// The policy of most tests: keys that are fast to generate and are published for 1001 seconds.
pub(crate) fn signing() -> Value {
    json!({
        "algorithm": "ES256", "rotate_every": 10_000, "publish_before": 1000,
        "jwks_max_age": 70, "jwks_stale": 40, "skew": 20, "kid": "numbered"
    })
}

pub(crate) async fn tenant(env: &TestEnv, id: &str) -> TenantId {
    env.made(json!({ "id": id, "signing": signing() })).await.0
}

fn kid(number: u32) -> Kid {
    Kid::Numbered(number)
}

pub(crate) fn id(number: u32) -> KeyId {
    KeyId::numbered(number)
}

/// Each key as its number and stage.
pub(crate) fn stages(keys: &[KeyView]) -> String {
    let stage = |key: &KeyView| format!("{} {}", key.kid.trim_start_matches("oauth2-key-"), key.state);
    keys.iter().map(stage).collect::<Vec<_>>().join(", ")
}

/// The revocation rows have the time of the command minus the skew. Keys, audit and status have the time of
/// the command.
#[tokio::test]
async fn revoked_key_has_the_times_of_the_command() {
    let env = env();
    let keys = &env.administrator;
    let times = |key: &KeyView| {
        let since = |at: administration::documents::Instant| at.0.seconds() - NOW.seconds();
        let [end, gone] = [key.retiring_from, key.removed_at].map(|at| at.map_or(0, since));
        [since(key.announced_at), since(key.active_from), end, gone]
    };
    for (tenant, at) in [(tenant(&env, "acme").await, 100), (tenant(&env, "globex").await, 1019)] {
        for at in [0, 9] {
            env.command(&tenant, at, KeyCommand::Rotate).await.unwrap();
        }
        let by = test_env::at(at);
        env.published.lock().unwrap().clear();
        let changed = env.command(&tenant, at, KeyCommand::RotateInEmergency).await.unwrap().value;
        let stale = [Invalidation::Keys(tenant.clone()), Invalidation::Revocations(tenant.clone())];
        assert_eq!(*env.published.lock().unwrap(), stale);
        // The second key begins at 1010, when the first one ends.
        let [first, second] = if at < 1010 { [at, 0] } else { [1010, at] };
        let expected = [[0, 0, first, at], [9, 1010, second, at], [at, at, 0, 0]];
        assert_eq!(changed.items.iter().map(times).collect::<Vec<_>>(), expected, "{tenant}");
        let listed = keys.of(&by, &tenant).keys().await.unwrap();
        assert_eq!(listed, changed.items);
        let signing = keys.of(&by, &tenant).key_status().await.unwrap().signing.unwrap();
        assert_eq!(times(&signing), expected[2], "{tenant}");
        let rows = env.records(&tenant).await.keys;
        assert_eq!((rows[0].removed_at, rows[2].active_from), (Some(later(at - 20)), later(at - 20)));

        let mut revoked = 0;
        for record in env.audit(&tenant).await.iter().filter(|record| record.action == "key.revoked") {
            let listed = listed.iter().find(|key| key.kid == record.subject).unwrap();
            assert_eq!(record.detail["after"]["removed_at"], json!(later(at)), "{record:?}");
            assert_eq!(record.detail["after"]["retiring_from"], json!(listed.retiring_from.map(|at| at.0)));
            assert_eq!(record.at.0, later(at));
            revoked += 1;
        }
        assert_eq!(revoked, 2, "{tenant}");
    }
}

/// An imported key in PEM.
pub(crate) fn own(algorithm: SigningAlgorithm) -> ImportSettings {
    let document = PrivateKeyDocument::generate(algorithm).unwrap();
    let body = base64_of(document.expose());
    let key = format!("-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n");
    ImportSettings { key, algorithm: Some(algorithm.as_str().to_owned()) }
}

/// Lines of 64 characters (RFC 7468 §2).
fn base64_of(bytes: &[u8]) -> String {
    let text = BASE64.encode(bytes);
    let lines: Vec<_> = text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    lines.join("\n")
}

#[tokio::test]
async fn repeated_key_command_is_executed_once() {
    let env = env();
    let (acme, globex) = (tenant(&env, "acme").await, tenant(&env, "globex").await);
    let (by, keys, key) = (operator(), &env.administrator, idempotency_key("k", 1));
    let settings = own(SigningAlgorithm::ES256);
    let first = keys.of(&repeating(&by, NOW, Some(&key)), &acme).import_key(settings.clone()).await.unwrap();
    let again = keys.of(&repeating(&by, later(9), Some(&key)), &acme).import_key(settings).await.unwrap();
    assert!(!first.replayed && again.replayed && again.value == first.value);
    let of_globex = own(SigningAlgorithm::ES256);
    let other = keys.of(&repeating(&by, later(9), Some(&key)), &globex).import_key(of_globex).await.unwrap();
    assert!(!other.replayed);

    let emergency = async |key, at| {
        keys.of(&repeating(&by, at, key), &acme).command_keys(KeyCommand::RotateInEmergency).await
    };
    let first = emergency(Some(&key), later(20)).await.unwrap();
    let again = emergency(Some(&key), later(30)).await.unwrap();
    assert!(!first.replayed && again.replayed && again.value == first.value);
    let known = async || env.records(&acme).await.keys.len();
    assert_eq!(known().await, 2, "the tokens of the second key are whole");
    let other = idempotency_key("k", 2);
    let reused =
        keys.of(&repeating(&by, later(30), Some(&other)), &acme).command_keys(KeyCommand::Rotate).await;
    assert!(matches!(reused, Err(EditError::IdempotencyKeyReused)), "{reused:?}");

    // A command without effect has a stored answer, too, whatever has happened since.
    let keyed = idempotency_key("nothing", 1);
    let rotate =
        async |at| keys.of(&repeating(&by, at, Some(&keyed)), &acme).command_keys(KeyCommand::Rotate).await;
    env.command(&acme, 40, KeyCommand::Rotate).await.unwrap();
    let first = rotate(later(41)).await.unwrap();
    env.command(&acme, 50, KeyCommand::Revoke(kid(3))).await.unwrap();
    let again = rotate(later(60)).await.unwrap();
    assert!(!first.replayed && again.replayed && again.value == first.value);
    assert_eq!(known().await, 3);
}

#[tokio::test]
async fn public_key_is_destroyed_with_the_private_key() {
    let env = env();
    let (acme, keys) = (tenant(&env, "acme").await, &env.administrator);
    env.command(&acme, 0, KeyCommand::Rotate).await.unwrap();
    assert!(!keys.of(&now(), &acme).public_key(kid(1)).await.unwrap().0.destroyed);
    env.command(&acme, 100, KeyCommand::RotateInEmergency).await.unwrap();
    keys.advance_keys(&acme, later(200)).await.unwrap();
    let views = keys.of(&at(200), &acme).keys().await.unwrap();
    assert_eq!(views.iter().map(|view| view.destroyed).collect::<Vec<_>>(), [true, false]);
    let gone = keys.of(&at(200), &acme).public_key(kid(1)).await;
    assert!(matches!(gone, Err(EditError::NotFound("public key"))), "{gone:?}");
}

// [parties #5]
#[tokio::test]
async fn answers_and_audit_have_no_private_key() {
    let env = env();
    let (acme, keys) = (tenant(&env, "acme").await, &env.administrator);
    let settings = own(SigningAlgorithm::ES256);
    let private: Vec<String> =
        settings.key.lines().filter(|line| !line.starts_with('-')).map(str::to_owned).collect();
    let imported = keys.of(&now(), &acme).import_key(settings).await.unwrap();
    let rotated = env.command(&acme, 9, KeyCommand::Rotate).await.unwrap();
    let revoked = env.command(&acme, 99, KeyCommand::Revoke(kid(1))).await.unwrap();
    let public = keys.of(&at(99), &acme).public_key(kid(2)).await.unwrap();
    keys.advance_keys(&acme, later(999)).await.unwrap();
    let records = env.audit(&acme).await;
    let of_keys = records.iter().filter(|record| record.action.starts_with("key."));
    let of_keys = of_keys.map(|record| format!("{} {} {}", record.actor, record.action, record.subject));
    let expected = [
        "cli:root key.imported oauth2-key-1",
        "cli:root key.announced oauth2-key-2",
        "cli:root key.rescheduled oauth2-key-1",
        "cli:root key.revoked oauth2-key-1",
        "cli:root key.rescheduled oauth2-key-2",
        "latchkey key.destroyed oauth2-key-1",
    ];
    assert_eq!(of_keys.collect::<Vec<_>>(), expected);
    let shown = format!("{imported:?} {rotated:?} {revoked:?} {public:?} {records:?}");
    let rows = env.records(&acme).await;
    let sealed = base64_of(&rows.keys[1].sealed_private_key);
    assert!(private.iter().all(|line| !shown.contains(line)));
    assert!(sealed.lines().all(|line| !shown.contains(line)));
    // The rows contain the tenant's key only in sealed form: no key can be parsed from it.
    assert!(SigningKey::parse(id(2), SigningAlgorithm::ES256, &rows.keys[1].sealed_private_key).is_err());
}

#[tokio::test]
async fn key_operations_require_the_keys_permission() {
    let env = env();
    let (acme, globex) = (tenant(&env, "acme").await, tenant(&env, "globex").await);
    let keys = &env.administrator;
    env.command(&acme, 0, KeyCommand::Rotate).await.unwrap();
    for by in [of_tenant("globex", "latchkey:keys"), of_tenant("acme", "latchkey:clients latchkey:audit")] {
        let by = &caller(&by, NOW);
        let refusals = [
            keys.of(by, &acme).keys().await.err(),
            keys.of(by, &acme).public_key(kid(1)).await.err(),
            keys.of(by, &acme).command_keys(KeyCommand::Rotate).await.err(),
            keys.of(by, &acme).command_keys(KeyCommand::RotateInEmergency).await.err(),
            keys.of(by, &acme).command_keys(KeyCommand::Revoke(kid(1))).await.err(),
            keys.of(by, &acme).key_effects(KeyCommand::RotateInEmergency).await.err(),
            keys.of(by, &acme).import_key(own(SigningAlgorithm::ES256)).await.err(),
            keys.of(by, &acme).key_status().await.err(),
        ];
        for refusal in refusals {
            assert!(matches!(refusal, Some(EditError::Forbidden(_))), "{refusal:?}");
        }
    }
    let own = caller(&of_tenant("globex", "latchkey:keys"), NOW);
    let changed = keys.of(&own, &globex).command_keys(KeyCommand::Rotate).await.unwrap().value;
    assert_eq!((stages(&changed.items).as_str(), changed.breaks.len()), ("1 active", 0));
    let (ops, platform) = (of_tenant("platform", "latchkey:keys"), tenant_id("platform"));
    assert!(matches!(keys.of(&caller(&ops, NOW), &platform).keys().await, Err(EditError::Forbidden(_))));
    let absent = keys.of(&now(), &tenant_id("absent")).keys().await;
    assert!(matches!(absent, Err(EditError::NotFound("tenant"))));
}
