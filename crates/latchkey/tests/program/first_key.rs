//! Tests keys that a tenant imports as its first signing key.

use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use rcgen::KeyPair;
use serde_json::Value;

use crate::folder::Folder;
use crate::jwt;
use crate::program::Program;
use crate::settings::{ACME_SECRET, TWO_TENANTS, edited};

const RSA_PKCS1: &str = include_str!("../../../keys/tests/keys/rsa2048.pkcs1.pem");
const RSA_PKCS8: &str = include_str!("../../../keys/tests/keys/rsa2048.pkcs8.pem");
const RSA_PUBLIC: &str = include_str!("../../../keys/tests/keys/rsa2048.public.pem");
const RSA_OTHER: &str = include_str!("../../../keys/tests/keys/rsa3072.pkcs8.pem");
const P256: &str = include_str!("../../../keys/tests/keys/p256.pkcs8.pem");
const ED25519: &str = include_str!("../../../keys/tests/keys/ed25519.pkcs8.pem");

#[tokio::test]
async fn imported_key_signs_first() {
    let public = |pem: &str| KeyPair::from_pem(pem).unwrap().public_key_pem();
    let rsa = DecodingKey::from_rsa_pem(RSA_PUBLIC.as_bytes()).unwrap();
    for (pem, algorithm, name, key) in [
        (RSA_PKCS1, Algorithm::RS256, "RS256", rsa.clone()),
        (RSA_PKCS8, Algorithm::RS256, "RS256", rsa),
        (P256, Algorithm::ES256, "ES256", DecodingKey::from_ec_pem(public(P256).as_bytes()).unwrap()),
        (ED25519, Algorithm::EdDSA, "EdDSA", DecodingKey::from_ed_pem(public(ED25519).as_bytes()).unwrap()),
    ] {
        let signing = format!("{{ algorithm: {name}, first_key: {{ file: key.pem }} }}");
        let (_folder, program) = Program::serving_in(with_signing(&signing, pem));
        let token = program.token("acme", "svc", ACME_SECRET).await;
        assert_eq!(jwt::kid(&token), "oauth2-key-1");
        let mut expected = Validation::new(algorithm);
        expected.set_audience(&["api"]);
        expected.set_issuer(&["http://localhost:3000/api/v1/tenant/acme"]);
        decode::<Value>(&token, &key, &expected).unwrap();
        assert_eq!(program.present(&token).await.status, 200, "{name}");
        let keys = program.jwks("acme").await.json();
        assert_eq!(keys["keys"].as_array().unwrap().len(), 1);
        let other = program.token("globex", "svc", "globex-svc-canary-52b7").await;
        assert!(decode::<Value>(&other, &key, &expected).is_err());
    }
}

#[tokio::test]
async fn key_is_imported_once_and_not_replaced() {
    let (folder, program) = Program::serving_in(with_signing("{ first_key: { file: key.pem } }", RSA_PKCS8));
    let before = program.jwks("acme").await.body;
    program.stop();
    // The same key in another encoding is not a change.
    folder.write("key.pem", RSA_PKCS1);
    assert_eq!(folder.run(&["plan"]).code, Some(0));
    folder.write("key.pem", RSA_OTHER);
    let plan = folder.run(&["plan"]);
    assert_eq!(plan.code, Some(1), "{plan:?}");
    assert!(plan.err.contains("acme") && plan.err.contains("key"), "{}", plan.err);
    // The key stays when the file no longer declares it.
    folder.write("config.yaml", TWO_TENANTS);
    let program = Program::start(&folder);
    assert_eq!(program.jwks("acme").await.body, before);
}

#[test]
fn unusable_key_is_refused_with_its_location() {
    for (pem, signing) in [
        ("not a key", "{ first_key: { file: key.pem } }"),
        (P256, "{ first_key: { file: key.pem } }"),
        (RSA_PUBLIC, "{ first_key: { file: key.pem } }"),
        (include_str!("../../../keys/tests/keys/rsa1024.pkcs1.pem"), "{ first_key: { file: key.pem } }"),
        (RSA_PKCS8, "{ algorithm: ES256, first_key: { file: key.pem } }"),
    ] {
        let folder = with_signing(signing, pem);
        for command in ["check", "plan", "serve"] {
            let ran = folder.run(&[command]);
            assert_eq!(ran.code, Some(1), "{command}: {ran:?}");
            assert!(ran.err.contains("tenants.acme.signing.first_key"), "{command}: {}", ran.err);
        }
    }
}

/// Two tenants and a key file. acme has this `signing`.
fn with_signing(signing: &str, pem: &str) -> Folder {
    let acme = "  acme:\n    strategies: { oauth2: { enabled: true } }";
    let folder = Folder::with(&edited(TWO_TENANTS, acme, &format!("{acme}\n    signing: {signing}")));
    folder.write("key.pem", pem);
    folder
}
