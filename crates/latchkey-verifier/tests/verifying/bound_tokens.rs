//! Tests tokens that are bound to a key of their sender: DPoP proofs and client certificates.

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use latchkey_verifier::{
    FirstUse, GuardUnavailable, ProofError, Reason, ReplayGuard, RequestFacts, SenderError, Thumbprint,
    Trusted, Verifier,
};
use serde_json::{Value, json};

use crate::issuer::{ISSUER, Key, builder, keys_of, outcome};
use crate::time::TestClock;
const ORIGIN: &str = "https://orders.example.com";
const PATH: &str = "/v1/orders";

struct TestEnv {
    clock: TestClock,
    issuer: Key,
    sender: Key,
    verifier: Verifier,
}

impl TestEnv {
    fn new() -> Self {
        Self::with(|builder| builder.public_origin(ORIGIN))
    }

    fn with(more: impl FnOnce(latchkey_verifier::Builder) -> latchkey_verifier::Builder) -> Self {
        let (clock, issuer) = (TestClock::default(), Key::new("k1"));
        let builder = builder(&clock).issuer(Trusted::issuer(ISSUER).key_set(keys_of(&issuer)));
        Self { verifier: more(builder).build().unwrap(), clock, issuer, sender: Key::new("s1") }
    }

    fn token(&self, cnf: Value) -> String {
        self.issuer.token_with(ISSUER, self.clock.seconds(), "cnf", cnf)
    }

    fn bound_token(&self) -> String {
        self.token(json!({ "jkt": thumbprint(&self.sender) }))
    }

    fn proof_claims(&self, token: &str, jti: &str) -> Value {
        proof_claims(token, jti, &format!("{ORIGIN}{PATH}"), self.clock.seconds())
    }

    fn proof(&self, token: &str, jti: &str) -> String {
        self.sender.sign(&proof_header(&self.sender), &self.proof_claims(token, jti))
    }

    async fn verify(&self, authorization: &str, proofs: &[&str]) -> Result<(), Reason> {
        self.verify_at("GET", PATH, authorization, proofs, None).await
    }

    async fn verify_at(
        &self,
        method: &str,
        path: &str,
        authorization: &str,
        proofs: &[&str],
        certificate: Option<Thumbprint>,
    ) -> Result<(), Reason> {
        let facts =
            RequestFacts::new(method, path).authorization(authorization.as_bytes()).certificate(certificate);
        let facts = proofs.iter().fold(facts, |facts, proof| facts.dpop(proof.as_bytes()));
        outcome(self.verifier.verify_request::<Value>(&facts).await)
    }
}

pub(crate) fn proof_header(key: &Key) -> Value {
    json!({ "typ": "dpop+jwt", "alg": "EdDSA", "jwk": public_jwk(key) })
}

/// The claims of a proof for a GET of this URL with the token.
pub(crate) fn proof_claims(token: &str, jti: &str, url: &str, now: u64) -> Value {
    let ath = BASE64URL.encode(digest(&SHA256, token.as_bytes()));
    json!({ "jti": jti, "htm": "GET", "htu": url, "iat": now, "ath": ath })
}

fn public_jwk(key: &Key) -> Value {
    let jwk = key.jwk();
    json!({ "kty": "OKP", "crv": "Ed25519", "x": jwk["x"] })
}

/// RFC 7638 §3.
pub(crate) fn thumbprint(key: &Key) -> String {
    let x = key.jwk()["x"].as_str().unwrap().to_owned();
    BASE64URL.encode(digest(&SHA256, format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#).as_bytes()))
}

fn proof_error(error: ProofError) -> Result<(), Reason> {
    Err(Reason::Proof(error))
}

#[tokio::test]
async fn bound_token_is_accepted_once_per_proof() {
    let env = TestEnv::new();
    let token = env.bound_token();
    let authorization = format!("DPoP {token}");
    let proof = env.proof(&token, "1");
    assert_eq!(env.verify(&authorization, &[&proof]).await, Ok(()));
    assert_eq!(env.verify(&authorization, &[&proof]).await, proof_error(ProofError::Replayed));
    assert_eq!(env.verify(&authorization, &[&env.proof(&token, "2")]).await, Ok(()));
    let path = format!("{PATH}?page=2");
    assert_eq!(env.verify_at("GET", &path, &authorization, &[&env.proof(&token, "3")], None).await, Ok(()));
}

#[tokio::test]
async fn a_bound_token_is_never_a_bearer_token() {
    let env = TestEnv::new();
    let token = env.bound_token();
    let needs_proof = Err(Reason::Sender(SenderError::NeedsDpopProof));
    assert_eq!(env.verify(&format!("Bearer {token}"), &[]).await, needs_proof);
    assert_eq!(env.verify(&format!("Bearer {token}"), &[&env.proof(&token, "1")]).await, needs_proof);
    assert_eq!(outcome(env.verifier.verify::<Value>(&token).await), needs_proof);
    let plain = env.issuer.token(ISSUER, env.clock.seconds());
    let as_dpop = env.verify(&format!("DPoP {plain}"), &[&env.proof(&plain, "1")]).await;
    assert_eq!(as_dpop, Err(Reason::Sender(SenderError::NotDpopBound)));
    assert_eq!(env.verify(&format!("Bearer {plain}"), &[]).await, Ok(()));
}

#[tokio::test]
async fn invalid_proofs_are_refused() {
    use ProofError as E;
    let env = TestEnv::new();
    let token = env.bound_token();
    let authorization = format!("DPoP {token}");
    let good = env.proof(&token, "a");
    assert_eq!(env.verify(&authorization, &[]).await, proof_error(E::Missing));
    assert_eq!(env.verify(&authorization, &[&good, &good]).await, proof_error(E::Repeated));
    let posted = env.verify_at("POST", PATH, &authorization, &[&good], None).await;
    assert_eq!(posted, proof_error(E::OtherMethod));
    assert_eq!(env.verify_at("GET", "/v1", &authorization, &[&good], None).await, proof_error(E::OtherUri));
    let now = env.clock.seconds();
    for (name, value, expected) in [
        ("jti", json!(""), E::Malformed),
        ("jti", Value::Null, E::Malformed),
        ("htm", json!("get"), E::OtherMethod),
        ("htm", json!(7), E::Malformed),
        ("htu", json!("https://evil.example/v1/orders"), E::OtherUri),
        ("htu", json!("http://orders.example.com/v1/orders"), E::OtherUri),
        ("htu", json!("/v1/orders"), E::OtherUri),
        ("iat", json!(now + 61), E::OtherTime),
        ("iat", json!(now - 61), E::OtherTime),
        ("iat", json!(-1), E::Malformed),
        ("iat", json!("now"), E::Malformed),
        ("iat", Value::Null, E::Malformed),
        ("ath", json!("AAAA"), E::OtherToken),
        ("ath", Value::Null, E::OtherToken),
    ] {
        let mut claims = env.proof_claims(&token, "b");
        claims[name] = value.clone();
        let proof = env.sender.sign(&proof_header(&env.sender), &claims);
        assert_eq!(env.verify(&authorization, &[&proof]).await, proof_error(expected), "{name}: {value}");
    }
    let mut private = public_jwk(&env.sender);
    private["d"] = json!("AAAA");
    for (name, value, expected) in [
        ("typ", json!("JWT"), E::OtherType),
        ("typ", Value::Null, E::Malformed),
        ("alg", json!("none"), E::AlgorithmNotAllowed),
        ("alg", json!("HS256"), E::AlgorithmNotAllowed),
        ("alg", json!("ES256"), E::KeyNotUsable),
        ("crit", json!([]), E::HeaderNotAllowed),
        ("jku", json!("https://evil.example"), E::HeaderNotAllowed),
        ("jwk", Value::Null, E::KeyNotUsable),
        ("jwk", json!({ "kty": "oct", "k": "AAAA" }), E::KeyNotUsable),
        ("jwk", private, E::KeyNotUsable),
        ("jwk", public_jwk(&Key::new("x")), E::SignatureInvalid),
    ] {
        let mut header = proof_header(&env.sender);
        header[name] = value.clone();
        let proof = env.sender.sign(&header, &env.proof_claims(&token, "c"));
        assert_eq!(env.verify(&authorization, &[&proof]).await, proof_error(expected), "{name}: {value}");
    }
    let other = Key::new("s2");
    let of_other_key = other.sign(&proof_header(&other), &env.proof_claims(&token, "d"));
    let other_key = Err(Reason::Sender(SenderError::OtherKey));
    assert_eq!(env.verify(&authorization, &[&of_other_key]).await, other_key);
    for cut in 0..good.len() {
        assert!(env.verify(&authorization, &[&good[..cut]]).await.is_err(), "{cut}");
    }
    assert_eq!(env.verify(&authorization, &[&good]).await, Ok(()), "no refusal has used it up");
    env.clock.advance(Duration::from_secs(61));
    assert_eq!(env.verify(&authorization, &[&good]).await, proof_error(E::OtherTime));
}

#[tokio::test]
async fn without_a_public_origin_no_proof_is_accepted() {
    let env = TestEnv::with(|builder| builder);
    let token = env.bound_token();
    let verified = env.verify(&format!("DPoP {token}"), &[&env.proof(&token, "1")]).await;
    assert_eq!(verified, proof_error(ProofError::OtherUri));
}

#[tokio::test]
async fn certificate_bound_token_needs_its_certificate() {
    let env = TestEnv::new();
    let own = Thumbprint::of_certificate(b"own");
    let token = env.token(json!({ "x5t#S256": own.to_string() }));
    for (certificate, is_accepted) in
        [(Some(own), true), (Some(Thumbprint::of_certificate(b"other")), false), (None, false)]
    {
        let verified = env.verify_at("GET", PATH, &format!("Bearer {token}"), &[], certificate).await;
        let expected = if is_accepted { Ok(()) } else { Err(Reason::Sender(SenderError::OtherCertificate)) };
        assert_eq!(verified, expected, "{certificate:?}");
    }
}

#[tokio::test]
async fn unavailable_replay_guard_gives_503() {
    struct Away;
    impl ReplayGuard for Away {
        fn first_use<'a>(&'a self, _: &'a str, _: [u8; 32], _: u64, _: u64) -> FirstUse<'a> {
            Box::pin(async { Err(GuardUnavailable) })
        }
    }
    let env = TestEnv::with(|builder| builder.public_origin(ORIGIN).replay_guard(Arc::new(Away)));
    let token = env.bound_token();
    let verified = env.verify(&format!("DPoP {token}"), &[&env.proof(&token, "1")]).await;
    assert!(matches!(verified, Err(Reason::NotReady { .. })), "{verified:?}");
}
