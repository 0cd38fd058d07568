//! Tests signing keys: times, repeated commands, permissions, and what stays secret.

use administration::{
    AuditQuery, AuditView, Created, EditError, ImportSettings, Invalidation, KeyCommand, KeySchedule as _,
    KeyView, KeysChanged,
};
use keys::{KeyId, Kid, PrivateKeyDocument, SigningKey};
use protocol::SigningAlgorithm;
use serde_json::{Value, json};
use tenancy::TenantId;
use testkit::fixtures::NOW;

use crate::test_env::{
    TestEnv, caller, env, idempotency_key, later, new_tenant, of_tenant, operator, repeating,
};

/// The policy of most tests: keys that are fast to generate and are published for 1001 seconds.
pub(crate) fn signing() -> Value {
    json!({
        "algorithm": "ES256", "rotate_every": 10_000, "publish_before": 1000,
        "jwks_max_age": 70, "jwks_stale": 40, "skew": 20, "kid": "numbered"
    })
}

pub(crate) async fn tenant(env: &TestEnv, id: &str) -> TenantId {
    let new = new_tenant(json!({ "id": id, "signing": signing() }));
    env.administrator.create_tenant(&caller(&operator(), NOW), new).await.unwrap();
    testkit::fixtures::tenant_id(id)
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

fn check(changed: Result<Created<KeysChanged>, EditError>, stages_: &str, breaks: &[&str]) {
    let changed = changed.unwrap().value;
    assert_eq!(stages(&changed.items), stages_);
    let broken: Vec<_> = changed.breaks.iter().map(|broken| broken.kid.as_str()).collect();
    assert_eq!(broken, breaks);
}

const KEY_1: &str = "oauth2-key-1";

/// The rows have the time of the command less the skew; keys, audit and status have the time of the command.
#[tokio::test]
async fn times_of_a_revocation_are_those_of_its_command() {
    let env = env();
    let (by, keys) = (operator(), &env.administrator);
    let times = |key: &KeyView| {
        let since = |at: administration::Instant| at.0.seconds() - NOW.seconds();
        let [end, gone] = [key.retiring_from, key.removed_at].map(|at| at.map_or(0, since));
        [since(key.announced_at), since(key.active_from), end, gone]
    };
    for (tenant, at) in [(tenant(&env, "acme").await, 100), (tenant(&env, "globex").await, 1019)] {
        for at in [NOW, later(9)] {
            keys.command_keys(&caller(&by, at), &tenant, KeyCommand::Rotate).await.unwrap();
        }
        let by = caller(&by, later(at));
        env.published.lock().unwrap().clear();
        let changed = keys.command_keys(&by, &tenant, KeyCommand::RotateInEmergency).await.unwrap().value;
        let stale = [Invalidation::Keys(tenant.clone()), Invalidation::Revocations(tenant.clone())];
        assert_eq!(*env.published.lock().unwrap(), stale);
        let ends = if at < 1010 {
            [[0, 0, at, at], [9, 1010, 0, at]]
        } else {
            [[0, 0, 1010, at], [9, 1010, at, at]]
        };
        let expected = [ends[0], ends[1], [at, at, 0, 0]];
        assert_eq!(changed.items.iter().map(times).collect::<Vec<_>>(), expected, "{tenant}");
        let listed = keys.keys(&by, &tenant).await.unwrap();
        assert_eq!(listed, changed.items);
        let signing = keys.key_status(&by, &tenant).await.unwrap().signing.unwrap();
        assert_eq!(times(&signing), expected[2], "{tenant}");
        let rows = env.store.load_keys(&tenant).await.unwrap().unwrap().records.keys;
        assert_eq!((rows[0].removed_at, rows[2].active_from), (Some(later(at - 20)), later(at - 20)));

        let query = AuditQuery { tenant: Some(tenant.clone()), limit: 50, ..AuditQuery::default() };
        let records = keys.audit(&by, query, None).await.unwrap().items;
        let mut revoked = 0;
        for AuditView { record, .. } in records.iter().filter(|view| view.record.action == "key.revoked") {
            let listed = listed.iter().find(|key| key.kid == record.subject).unwrap();
            assert_eq!(record.detail["after"]["removed_at"], json!(later(at)), "{record:?}");
            assert_eq!(record.detail["after"]["retiring_from"], json!(listed.retiring_from.map(|at| at.0)));
            assert_eq!(record.at.0, later(at));
            revoked += 1;
        }
        assert_eq!(revoked, 2, "{tenant}");
    }
}

/// An operator's own key, in PEM.
pub(crate) fn own(algorithm: SigningAlgorithm) -> ImportSettings {
    let document = PrivateKeyDocument::generate(algorithm).unwrap();
    let body = base64_of(document.expose());
    let key = format!("-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n");
    ImportSettings { key, algorithm: Some(algorithm.as_str().to_owned()) }
}

fn base64_of(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digits = bytes.chunks(3).flat_map(|chunk| {
        let number = chunk.iter().fold(0_usize, |number, byte| number << 8 | usize::from(*byte));
        let number = number << (8 * (3 - chunk.len()));
        let kept = chunk.len() + 1;
        (0..4).map(move |place| if place < kept { DIGITS[number >> (18 - 6 * place) & 63] } else { b'=' })
    });
    let digits: Vec<u8> = digits.collect();
    let lines: Vec<_> = digits.chunks(64).map(|line| String::from_utf8(line.to_vec()).unwrap()).collect();
    lines.join("\n")
}

#[tokio::test]
async fn a_command_that_is_sent_again_is_answered_again_and_done_once() {
    let env = env();
    let (acme, globex) = (tenant(&env, "acme").await, tenant(&env, "globex").await);
    let (by, keys, key) = (operator(), &env.administrator, idempotency_key("k", 1));
    let settings = own(SigningAlgorithm::ES256);
    let first = keys.import_key(&repeating(&by, NOW, Some(&key)), &acme, settings.clone()).await.unwrap();
    let again = keys.import_key(&repeating(&by, later(9), Some(&key)), &acme, settings).await.unwrap();
    assert!(!first.replayed && again.replayed && again.value == first.value);
    let of_globex = own(SigningAlgorithm::ES256);
    let other = keys.import_key(&repeating(&by, later(9), Some(&key)), &globex, of_globex).await.unwrap();
    assert!(!other.replayed);

    let emergency = async |key, at| {
        keys.command_keys(&repeating(&by, at, key), &acme, KeyCommand::RotateInEmergency).await
    };
    let first = emergency(Some(&key), later(20)).await.unwrap();
    let again = emergency(Some(&key), later(30)).await.unwrap();
    assert!(!first.replayed && again.replayed && again.value == first.value);
    let known = async || env.store.load_keys(&acme).await.unwrap().unwrap().records.keys.len();
    assert_eq!(known().await, 2, "the tokens of the second key are whole");
    let other = idempotency_key("k", 2);
    let reused = keys.command_keys(&repeating(&by, later(30), Some(&other)), &acme, KeyCommand::Rotate).await;
    assert!(matches!(reused, Err(EditError::IdempotencyKeyReused)), "{reused:?}");

    // A command without effect has a stored answer, too, whatever has happened since.
    let keyed = idempotency_key("nothing", 1);
    let rotate =
        async |at| keys.command_keys(&repeating(&by, at, Some(&keyed)), &acme, KeyCommand::Rotate).await;
    keys.command_keys(&caller(&by, later(40)), &acme, KeyCommand::Rotate).await.unwrap();
    let first = rotate(later(41)).await.unwrap();
    keys.command_keys(&caller(&by, later(50)), &acme, KeyCommand::Revoke(kid(3))).await.unwrap();
    let again = rotate(later(60)).await.unwrap();
    assert!(!first.replayed && again.replayed && again.value == first.value);
    assert_eq!(known().await, 3);
}

#[tokio::test]
async fn the_public_half_is_the_one_that_verifies_and_goes_with_the_private_one() {
    let env = env();
    let (acme, by, keys) = (tenant(&env, "acme").await, operator(), &env.administrator);
    keys.command_keys(&caller(&by, NOW), &acme, KeyCommand::Rotate).await.unwrap();
    let (view, public) = keys.public_key(&caller(&by, NOW), &acme, kid(1)).await.unwrap();
    assert_eq!((view.kid.as_str(), view.destroyed), (KEY_1, false));
    assert_eq!((&public.jwk["kid"], &public.jwk["alg"]), (&json!(KEY_1), &json!("ES256")));
    assert!(public.pem.starts_with("-----BEGIN PUBLIC KEY-----"));
    assert!(public.jwk.get("d").is_none());
    let absent = keys.public_key(&caller(&by, NOW), &acme, kid(2)).await;
    assert!(matches!(absent, Err(EditError::NotFound("key"))));
    keys.command_keys(&caller(&by, later(100)), &acme, KeyCommand::RotateInEmergency).await.unwrap();
    keys.advance_keys(&acme, later(200)).await.unwrap();
    let views = keys.keys(&caller(&by, later(200)), &acme).await.unwrap();
    assert_eq!(views.iter().map(|view| view.destroyed).collect::<Vec<_>>(), [true, false]);
    let gone = keys.public_key(&caller(&by, later(200)), &acme, kid(1)).await;
    assert!(matches!(gone, Err(EditError::NotFound("public key"))), "{gone:?}");
}

// [parties #5]
#[tokio::test]
async fn nothing_private_is_in_the_audit_or_in_what_is_shown() {
    let env = env();
    let (acme, by, keys) = (tenant(&env, "acme").await, operator(), &env.administrator);
    let settings = own(SigningAlgorithm::ES256);
    let private: Vec<String> =
        settings.key.lines().filter(|line| !line.starts_with('-')).map(str::to_owned).collect();
    let mut shown = format!("{:?}", keys.import_key(&caller(&by, NOW), &acme, settings).await.unwrap());
    shown +=
        &format!("{:?}", keys.command_keys(&caller(&by, later(9)), &acme, KeyCommand::Rotate).await.unwrap());
    shown += &format!(
        "{:?}",
        keys.command_keys(&caller(&by, later(99)), &acme, KeyCommand::Revoke(kid(1))).await.unwrap()
    );
    shown += &format!("{:?}", keys.public_key(&caller(&by, later(99)), &acme, kid(2)).await.unwrap());
    keys.advance_keys(&acme, later(999)).await.unwrap();
    let query = AuditQuery { tenant: Some(acme.clone()), limit: 50, ..AuditQuery::default() };
    let records = keys.audit(&caller(&by, NOW), query, None).await.unwrap().items;
    let mut described: Vec<_> = records
        .iter()
        .map(|AuditView { record, .. }| format!("{} {} {}", record.actor, record.action, record.subject))
        .collect();
    described.reverse();
    let of_keys: Vec<_> =
        described.iter().filter(|line| line.contains(" key.")).map(String::as_str).collect();
    assert_eq!(
        of_keys,
        [
            "cli:root key.imported oauth2-key-1",
            "cli:root key.announced oauth2-key-2",
            "cli:root key.rescheduled oauth2-key-1",
            "cli:root key.revoked oauth2-key-1",
            "cli:root key.rescheduled oauth2-key-2",
            "latchkey key.destroyed oauth2-key-1",
        ]
    );
    shown += &format!("{records:?}");
    let rows = env.store.load_keys(&acme).await.unwrap().unwrap().records;
    let sealed = base64_of(&rows.keys[1].sealed_private_key);
    assert!(private.iter().all(|line| !shown.contains(line)));
    assert!(sealed.lines().all(|line| !shown.contains(line)));
    // The rows hold the tenant's key sealed: no key can be parsed from it.
    assert!(SigningKey::parse(id(2), SigningAlgorithm::ES256, &rows.keys[1].sealed_private_key).is_err());
}

#[tokio::test]
async fn only_holders_of_the_keys_permission_may_read() {
    let env = env();
    let (acme, globex) = (tenant(&env, "acme").await, tenant(&env, "globex").await);
    let keys = &env.administrator;
    keys.command_keys(&caller(&operator(), NOW), &acme, KeyCommand::Rotate).await.unwrap();
    let strangers =
        [of_tenant("globex", "latchkey:keys"), of_tenant("acme", "latchkey:clients latchkey:audit")];
    for by in strangers {
        let refusals = [
            keys.keys(&caller(&by, NOW), &acme).await.err(),
            keys.public_key(&caller(&by, NOW), &acme, kid(1)).await.err(),
            keys.command_keys(&caller(&by, NOW), &acme, KeyCommand::Rotate).await.err(),
            keys.command_keys(&caller(&by, NOW), &acme, KeyCommand::RotateInEmergency).await.err(),
            keys.command_keys(&caller(&by, NOW), &acme, KeyCommand::Revoke(kid(1))).await.err(),
            keys.key_effects(&caller(&by, NOW), &acme, KeyCommand::RotateInEmergency).await.err(),
            keys.import_key(&caller(&by, NOW), &acme, own(SigningAlgorithm::ES256)).await.err(),
            keys.key_status(&caller(&by, NOW), &acme).await.err(),
        ];
        for refusal in refusals {
            assert!(matches!(refusal, Some(EditError::Forbidden(_))), "{refusal:?}");
        }
    }
    let own = of_tenant("globex", "latchkey:keys");
    check(keys.command_keys(&caller(&own, NOW), &globex, KeyCommand::Rotate).await, "1 active", &[]);
    let (ops, platform) = (of_tenant("platform", "latchkey:keys"), TenantId::parse("platform").unwrap());
    assert!(matches!(keys.keys(&caller(&ops, NOW), &platform).await, Err(EditError::Forbidden(_))));
    let absent = keys.keys(&caller(&operator(), NOW), &TenantId::parse("absent").unwrap()).await;
    assert!(matches!(absent, Err(EditError::NotFound("tenant"))));
}
