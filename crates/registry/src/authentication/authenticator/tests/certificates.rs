//! Tests which clients authenticate with a certificate, and that all refusals look the same.

use protocol::{ChainError, ClientCertificate};
use rcgen::KeyPair;

use super::*;
use crate::SubjectKind;
use crate::certificate::client_certificate::tests::{
    self as certificates, jwk, named as with_subject, with_keys,
};

fn certificate(key: &KeyPair) -> Arc<ClientCertificate> {
    let der = certificates::parameters((2026, 2027)).self_signed(key).unwrap().der().to_vec();
    Arc::new(certificates::presented(&der, certificates::valid(10, 10)))
}

fn presented(client_id: &str, certificate: &Arc<ClientCertificate>) -> ClientAuthentication {
    ClientAuthentication::None { client_id: client_id.to_owned() }.beside(Some(certificate))
}

/// The result of presenting this certificate at this tenant.
async fn outcome(test_env: &TestEnv, tenant: &str, id: &str, certificate: &Arc<ClientCertificate>) -> String {
    test_env.outcome_at(tenant, presented(id, certificate), certificates::NOW.seconds()).await.0
}

fn with_method(client: Client, method: ClientAuthenticationMethod) -> Client {
    Client { authentication_method: method, ..client }
}

// [mutual-tls RFC 8705 §2]
#[tokio::test]
async fn certificate_authenticates_the_named_client() {
    use ClientAuthenticationMethod::{PrivateKeyJwt, SelfSignedTlsClientAuth, TlsClientAuth};
    let (key, other) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let issued = |id, name| with_subject(with_method(client(id), TlsClientAuth), SubjectKind::Dns, name);
    let test_env = test_env(vec![
        issued("issued", "svc.example.com"),
        issued("another", "another.example.com"),
        with_keys(with_method(client("own"), SelfSignedTlsClientAuth), &[jwk(&key)]),
        with_keys(with_method(client("signs"), PrivateKeyJwt), &[jwk(&key)]),
    ]);
    let mine = certificate(&key);
    let untrusted = Arc::new(ClientCertificate { chain: Err(ChainError::UnknownIssuer), ..(*mine).clone() });
    let foreign = certificate(&other);
    for (id, certificate, expected) in [
        ("issued", &mine, "Issued".to_owned()),
        ("own", &mine, "SelfSigned".to_owned()),
        ("own", &untrusted, "SelfSigned".to_owned()),
        ("another", &mine, refused(CertificateCheck::Registration.reason())),
        ("issued", &untrusted, refused(CertificateCheck::UnknownIssuer.reason())),
        ("signs", &mine, refused(methods::METHOD_NOT_REGISTERED)),
        ("nobody", &mine, refused(methods::UNKNOWN_CLIENT)),
        ("", &mine, refused(methods::MALFORMED)),
        ("a\u{0}b", &mine, refused(methods::MALFORMED)),
        ("own", &foreign, refused(CertificateCheck::Key.reason())),
    ] {
        assert_eq!(outcome(&test_env, "acme", id, certificate).await, expected, "{id}");
    }
    // The other tenant has no such clients, so it refuses the same certificate.
    for id in ["issued", "own"] {
        let found = outcome(&test_env, "globex", id, &mine).await;
        assert_eq!(found, refused(methods::UNKNOWN_CLIENT), "{id}");
    }
}

#[tokio::test]
async fn certificate_with_another_credential_is_ignored() {
    let key = KeyPair::generate().unwrap();
    let method = ClientAuthenticationMethod::SelfSignedTlsClientAuth;
    let test_env = test_env(vec![with_keys(with_method(client("own"), method), &[jwk(&key)])]);
    let beside = post("own", generated(9).expose()).beside(Some(&certificate(&key)));
    assert!(matches!(beside, ClientAuthentication::Post(_)));
    let outcome = test_env.outcome_at("acme", beside, certificates::NOW.seconds()).await;
    assert_eq!(outcome.0, refused(methods::METHOD_NOT_REGISTERED));
}

// [mutual-tls RFC 8705 §2 c]
#[tokio::test(start_paused = true)]
async fn all_certificate_refusals_take_equal_time() {
    let key = KeyPair::generate().unwrap();
    let method = ClientAuthenticationMethod::TlsClientAuth;
    let other = with_subject(with_method(client("issued"), method), SubjectKind::Dns, "else.example.com");
    let test_env = test_env(vec![other]);
    let mut instants = Vec::new();
    for id in ["issued", "nobody", ""] {
        let begun = Instant::now();
        assert!(outcome(&test_env, "acme", id, &certificate(&key)).await.contains("client"));
        instants.push(begun.elapsed());
    }
    assert!(instants.iter().all(|elapsed| *elapsed == instants[0] && !elapsed.is_zero()), "{instants:?}");
}

// [mutual-tls RFC 8705 §2.2.2]
#[tokio::test(start_paused = true)]
async fn a_published_key_authenticates_its_certificate() {
    const URL: &str = "https://keys.example.com/jwks";
    let (first, second) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let published = Client {
        jwks_uri: Some(URL.to_owned()),
        ..with_method(client("own"), ClientAuthenticationMethod::SelfSignedTlsClientAuth)
    };
    let test_env = test_env(vec![published]);
    let publish = |keys: &[&KeyPair]| {
        let jwks: Vec<_> = keys.iter().map(|key| jwk(key)).collect();
        let document = serde_json::json!({ "keys": jwks }).to_string();
        test_env.store.jwks.lock().unwrap().insert((tenant("acme").id, URL.to_owned()), document);
    };
    let outcome = async |key: &KeyPair| outcome(&test_env, "acme", "own", &certificate(key)).await;
    assert_eq!(outcome(&first).await, refused(CertificateCheck::KeySet.reason()));
    publish(&[&first]);
    tokio::time::advance(Duration::from_secs(61)).await;
    assert_eq!(outcome(&first).await, "SelfSigned");
    publish(&[&second]);
    assert_eq!(outcome(&second).await, "SelfSigned", "a new key is found at once");
    assert_eq!(outcome(&first).await, refused(CertificateCheck::Key.reason()));
    let fetches = test_env.store.fetches.load(Ordering::Relaxed);
    assert_eq!(outcome(&first).await, refused(CertificateCheck::Key.reason()));
    assert_eq!(test_env.store.fetches.load(Ordering::Relaxed), fetches, "the fetch of this minute is spent");
}
