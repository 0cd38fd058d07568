//! Tests which clients authenticate with an assertion of another issuer, at which tenant, and why other
//! requests are refused.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use keys::SigningKey;
use protocol::{AssertionKind, StaticClaims};
use serde_json::{Value, json};
use tenancy::{IssuerKeys, TrustedIssuer};

use super::assertions::{assertion, key, of_kind, with};
use super::*;
use crate::{ClaimRule, FederationCheck as F, TrustRules};

const CI: &str = "https://ci.example";
const SUBJECT: &str = "repo:acme/billing:ref:refs/heads/main";
/// The issuer of the tests' tenant.
const OURS: &str = "acme";

fn jwks(key: &SigningKey) -> String {
    json!({ "keys": [key.jwk] }).to_string()
}

fn trusting(id: &str, issuers: &[(&str, &str, &SigningKey)]) -> Tenant {
    let declared = |(name, issuer, key): &(&str, &str, &SigningKey)| TrustedIssuer {
        name: (*name).to_owned(),
        keys: IssuerKeys::Document(jwks(key)),
        ..TrustedIssuer::of_url(issuer)
    };
    Tenant { trusted_issuers: issuers.iter().map(declared).collect(), ..tenant(id) }
}

fn federated(tenant: &str, id: &str, rules: Vec<TrustRule>) -> Client {
    let (tenant, id) = (TenantId::parse(tenant).unwrap(), ClientId::parse(id).unwrap());
    Client { federated: TrustRules(rules), ..Client::new(tenant, id) }
}

/// The claims as platforms write them, without `jti`.
fn claims() -> Value {
    json!({ "iss": CI, "sub": SUBJECT, "aud": OURS, "iat": NOW - 10, "exp": NOW + 300, "repository": "acme/billing",
            "environment": "production", "run": 42, "protected": true, "groups": ["a", "b"],
            "kubernetes.io": { "namespace": "prod", "pod": { "name": "x" } } })
}

impl TestEnv {
    async fn present(&self, tenant: &Tenant, proof: ClientAuthentication) -> Result<AuthenticatedClient, E> {
        let source = CallerAddress::new(Some([192, 0, 2, 1].into()));
        let now = Timestamp::from_seconds(NOW);
        self.authenticator.authenticate(tenant, proof, Purpose::Authenticate, &source, now).await
    }
}

fn svid(client_id: Option<&str>, jwt: &str) -> ClientAuthentication {
    of_kind(AssertionKind::JwtSvid, client_id, jwt)
}

fn said(outcome: Result<AuthenticatedClient, E>) -> String {
    match outcome {
        Ok(client) => format!("{} by {}", client.client().id, named(client.proof())),
        Err(E::Refused { reason, .. }) => reason.code.to_owned(),
        Err(error) => error.to_string(),
    }
}

fn code(check: F) -> String {
    check.reason().code.to_owned()
}

// [federation RFC 7523 §3]: `iss` is an issuer that the tenant trusts, compared exactly, and `sub` a subject
//   of the client
// [federation RFC 7523 §3 b]: `aud` is required and names the tenant, or what the rule says
// [federation RFC 7523 §3 c]: `exp` is required; `nbf` and `iat` are obeyed; an `iat` long ago is refused,
//   and without it an `exp` far ahead
// [federation RFC 7523 §3 e]: Signed with a key of the issuer, by the key's algorithm, which the tenant may
//   pin; a MAC is refused
// [parties #7]
/// Each assertion differs in one detail from an accepted one. The caller always gets the same refusal.
#[tokio::test]
async fn each_broken_assertion_has_its_reason() {
    let (ci, other) = (key(1), key(2));
    let conditions = [
        ("environment", json!("prod*")),
        ("run", json!(42)),
        ("protected", json!(true)),
        ("groups", json!("b")),
        ("/kubernetes.io/namespace", json!("prod")),
    ];
    let rule = TrustRule {
        claims: conditions.map(|(name, accepted)| (name.to_owned(), ClaimRule::OneOf(vec![accepted]))).into(),
        max_age: Lifetime::from_seconds(300),
        ..TrustRule::new("ci", "repo:acme/*:ref:refs/heads/main")
    };
    let copied_claims = [("repo".to_owned(), "repository".to_owned())].into();
    let svc = Client { copied_claims, ..federated("acme", "svc", vec![rule]) };
    let test_env = test_env(vec![svc]);
    let mut acme = trusting("acme", &[("ci", CI, &ci), ("mesh", "spiffe://example.org", &ci)]);
    acme.trusted_issuers[0].algorithms = vec!["ES256".to_owned()];
    let sign = |claims: &Value| ci.sign("JWT", claims).unwrap();
    let good = sign(&claims());
    let accepted = test_env.present(&acme, assertion(Some("svc"), &good)).await.unwrap();
    assert_eq!(json!(accepted.client().claims), json!({ "repo": "acme/billing" }));

    let without_of = |mut claims: Value, name: &str| {
        claims.as_object_mut().unwrap().remove(name);
        sign(&claims)
    };
    let without = |name: &str| without_of(claims(), name);
    let saying = |name: &str, value: Value| sign(&with(claims(), name, value));
    let header = |header: Value| {
        let rest = good.split_once('.').unwrap().1;
        format!("{}.{rest}", BASE64URL.encode(header.to_string()))
    };
    let malformed = methods::MALFORMED.code.to_owned();
    let broken = [
        ("another issuer", saying("iss", json!("https://ci.example/")), code(F::Issuer)),
        ("no issuer", without("iss"), code(F::Issuer)),
        ("an issuer in a list", saying("iss", json!([CI])), code(F::Issuer)),
        ("another algorithm", header(json!({ "alg": "RS256", "kid": "oauth2-key-1" })), code(F::Algorithm)),
        ("another kid", header(json!({ "alg": "ES256", "kid": "x" })), code(F::Key)),
        ("another key", other.sign("JWT", &claims()).unwrap(), code(F::Key)),
        ("another header", header(json!({ "alg": "ES256", "kid": "oauth2-key-1" })), code(F::Signature)),
        ("no base64url", format!("{good}!"), malformed.clone()),
        ("no algorithm", header(json!({ "alg": "none" })), malformed.clone()),
        ("a secret's algorithm", header(json!({ "alg": "HS256" })), malformed.clone()),
        ("a key of its own", header(json!({ "alg": "ES256", "jwk": {} })), malformed.clone()),
        ("the type of an access token", ci.sign("at+jwt", &claims()).unwrap(), malformed.clone()),
        ("no subject", without("sub"), code(F::Claims)),
        ("no audience", without("aud"), code(F::Claims)),
        ("no expiry", without("exp"), code(F::Claims)),
        ("an expiry as text", saying("exp", json!("1300")), code(F::Claims)),
        ("another branch", saying("sub", json!("repo:acme/billing:ref:refs/heads/x")), code(F::Subject)),
        ("another owner", saying("sub", json!("repo:acme2/billing:ref:refs/heads/main")), code(F::Subject)),
        ("a segment more", saying("sub", json!("repo:acme/a/b:ref:refs/heads/main")), code(F::Subject)),
        ("another audience", saying("aud", json!("globex")), code(F::Audience)),
        ("an audience with a slash", saying("aud", json!(["acme/"])), code(F::Audience)),
        ("expired", saying("exp", json!(NOW - 60)), code(F::Expiry)),
        ("issued ahead", saying("iat", json!(NOW + 61)), code(F::Begin)),
        ("valid later", saying("nbf", json!(NOW + 61)), code(F::Begin)),
        ("too old", saying("iat", json!(NOW - 360)), code(F::Age)),
        ("of an unknown age", without_of(with(claims(), "exp", NOW + 361), "iat"), code(F::Age)),
        ("another environment", saying("environment", json!("staging")), code(F::Conditions)),
        ("a number as another", saying("run", json!(43)), code(F::Conditions)),
        ("a number as text", saying("run", json!("42")), code(F::Conditions)),
        ("a truth value as text", saying("protected", json!("true")), code(F::Conditions)),
        ("an object for a text", saying("environment", json!({ "a": "production" })), code(F::Conditions)),
        ("another namespace", saying("kubernetes.io", json!({ "namespace": "dev" })), code(F::Conditions)),
        ("a list without the member", saying("groups", json!(["a", ["b"]])), code(F::Conditions)),
        ("nothing to copy", without("repository"), code(F::Copied)),
        ("an object to copy", saying("repository", json!({})), code(F::Copied)),
        ("too much to copy", saying("repository", json!("r".repeat(1_024))), code(F::Copied)),
    ];
    assert!(broken.len() >= 30);
    let mut answers = BTreeSet::new();
    for (what, jwt, expected) in broken {
        let outcome = test_env.present(&acme, assertion(Some("svc"), &jwt)).await;
        if let Err(error) = &outcome {
            answers.insert(error.is_refusal());
        }
        assert_eq!(said(outcome), expected, "{what}");
    }
    assert_eq!(answers, [true].into(), "each is refused like a wrong secret");
}

// [federation RFC 7521 §4.2]: `client_id` beside an assertion names the same client: one of whose rules
//   holds. Without it, the assertion names its client by the rules
#[tokio::test]
async fn matching_rule_identifies_client_without_client_id() {
    let ci = key(1);
    let rule = |subject: &str| vec![TrustRule::new("ci", subject)];
    let suspended = federated("acme", "suspended", rule("repo:acme/asleep:**"));
    let suspended = Client { status: ClientStatus::Suspended, ..suspended };
    let test_env = test_env(vec![
        federated("acme", "billing", rule(SUBJECT)),
        federated("acme", "any", rule("repo:acme/other:**")),
        federated("acme", "by-url", vec![TrustRule::new(CI, "repo:acme/other:pull_request")]),
        suspended,
        federated("globex", "billing", rule("repo:acme/**")),
    ]);
    let acme = trusting("acme", &[("ci", CI, &ci)]);
    for (subject, client_id, expected) in [
        (SUBJECT, None, "billing by rule for ci".to_owned()),
        (SUBJECT, Some("billing"), "billing by rule for ci".to_owned()),
        (SUBJECT, Some("any"), code(F::Subject)),
        (SUBJECT, Some("unknown"), methods::MALFORMED.code.to_owned()),
        ("repo:acme/other:ref:x", None, "any by rule for ci".to_owned()),
        ("repo:acme/other:pull_request", None, code(F::Client)),
        ("repo:acme/other:pull_request", Some("any"), "any by rule for ci".to_owned()),
        ("repo:acme/other:pull_request", Some("by-url"), format!("by-url by rule for {CI}")),
        ("repo:acme/asleep:x", None, methods::CLIENT_SUSPENDED.code.to_owned()),
        ("repo:acme/none:x", None, methods::UNKNOWN_CLIENT.code.to_owned()),
    ] {
        let jwt = ci.sign("JWT", &with(claims(), "sub", subject)).unwrap();
        let outcome = test_env.present(&acme, assertion(client_id, &jwt)).await;
        assert_eq!(said(outcome), expected, "{subject} {client_id:?}");
    }
}

// [third 16]: Rules of rows were not compared with rules of files; the assertion type of SVIDs took every
//   assertion; a number or a truth value of a rule took a text | fixed | Overlapping subjects are warned of
//   in the answer and in `check --rows`; the type takes SPIFFE IDs only; values of a rule have types, and a
//   list accepts both. Earlier rows go on as they did
// [federation SPIFFE draft §3.1 b]: Ours: a JWT-SVID with the type of RFC 7523 is accepted, too
// [federation SPIFFE draft §3.1 c]: `sub`, `aud` and `exp` are required; `aud` has the one value; `iss`
//   decides nothing
// [federation SPIFFE draft §3.1 d]: The SPIFFE ID is associated with a registered client
#[tokio::test]
async fn svid_subject_determines_its_trust_domain() {
    let (mesh, ci) = (key(1), key(1));
    let rule = TrustRule::new("mesh", "spiffe://example.org/ns/*/sa/billing");
    let test_env = test_env(vec![federated("acme", "billing", vec![rule])]);
    let acme = trusting("acme", &[("mesh", "spiffe://example.org", &mesh), ("ci", CI, &ci)]);
    let good = json!({ "sub": "spiffe://example.org/ns/prod/sa/billing", "aud": [OURS], "exp": NOW + 300 });
    for (claims, typ, expected) in [
        (good.clone(), "JOSE", "billing by rule for mesh".to_owned()),
        (with(good.clone(), "iss", CI), "JWT", "billing by rule for mesh".to_owned()),
        (with(good.clone(), "aud", json!([OURS, "other"])), "JWT", code(F::Audience)),
        (with(good.clone(), "sub", "spiffe://example.com/ns/prod/sa/billing"), "JWT", code(F::Issuer)),
        (with(good.clone(), "sub", "spiffe://example.org/ns/prod/sa/web"), "JWT", code(F::Subject)),
        (with(good.clone(), "sub", CI), "JWT", code(F::Issuer)),
    ] {
        let jwt = mesh.sign(typ, &claims).unwrap();
        let outcome = test_env.present(&acme, svid(Some("billing"), &jwt)).await;
        assert_eq!(said(outcome), expected, "{claims}");
        if typ == "JWT" && !claims["aud"].is_array() {
            let outcome = test_env.present(&acme, assertion(Some("billing"), &jwt)).await;
            assert_eq!(said(outcome), expected, "{claims} of the other type");
        }
    }
    // An assertion of another issuer is not an SVID, even with a SPIFFE ID as `sub`.
    let other = Client {
        federated: TrustRules(vec![TrustRule::new("ci", "**a")]),
        ..federated("acme", "other", vec![])
    };
    test_env.store.clients.lock().unwrap().insert(("acme".to_owned(), "other".to_owned()), Arc::new(other));
    for sub in ["repo:a", "spiffe://example.org/a"] {
        let claims = json!({ "iss": CI, "sub": sub, "aud": OURS, "exp": NOW + 300 });
        let jwt = ci.sign("JWT", &claims).unwrap();
        assert_eq!(
            said(test_env.present(&acme, assertion(Some("other"), &jwt)).await),
            "other by rule for ci"
        );
        for named in [Some("other"), None] {
            let refused = said(test_env.present(&acme, svid(named, &jwt)).await);
            assert!(!refused.contains(" by "), "{sub}: {refused}");
        }
    }
    // Without `client_id`, the SPIFFE ID determines the client.
    let jwt = mesh.sign("JWT", &good).unwrap();
    assert_eq!(said(test_env.present(&acme, svid(None, &jwt)).await), "billing by rule for mesh");
    // The type JOSE is allowed only for SVIDs.
    let jose = assertion(Some("billing"), &mesh.sign("JOSE", &good).unwrap());
    assert_eq!(said(test_env.present(&acme, jose).await), methods::MALFORMED.code);
}

// [federation RFC 7523 §3 d]: `jti` is optional. `once` remembers what is signed instead, so that another
//   signature over the same counts as the same
// [parties #7]
#[tokio::test]
async fn once_rule_refuses_replays_with_any_signature() {
    let ci = key(1);
    let once = TrustRule { once: true, ..TrustRule::new("ci", SUBJECT) };
    let test_env = test_env(vec![
        federated("acme", "once", vec![once]),
        federated("acme", "often", vec![TrustRule::new("ci", SUBJECT)]),
    ]);
    let acme = trusting("acme", &[("ci", CI, &ci)]);
    let sign = |claims: &Value| ci.sign("JWT", claims).unwrap();
    let first = sign(&claims());
    // ECDSA creates a different signature of the same claims each time.
    let again = sign(&claims());
    assert_ne!(first, again);
    for (client, jwt, expected) in [
        ("once", &first, "once by rule for ci".to_owned()),
        ("once", &first, code(F::Replay)),
        ("once", &again, code(F::Replay)),
        ("once", &sign(&with(claims(), "jti", "2")), "once by rule for ci".to_owned()),
        ("often", &first, "often by rule for ci".to_owned()),
        ("often", &first, "often by rule for ci".to_owned()),
    ] {
        let outcome = test_env.present(&acme, assertion(Some(client), jwt)).await;
        assert_eq!(said(outcome), expected, "{client}");
    }
    assert_eq!(test_env.store.used.lock().unwrap().len(), 2, "only what counts once is remembered");
}

/// A client with rules can still use its own keys. A signature with a client's key does not count as that of
/// an issuer.
#[tokio::test]
async fn client_keys_and_issuer_keys_are_separate() {
    let (own, ci) = (key(1), key(1));
    let client = Client {
        federated: TrustRules(vec![TrustRule::new("ci", SUBJECT)]),
        ..super::assertions::client_with("billing", &[&own])
    };
    let test_env = test_env(vec![client]);
    let acme = trusting("acme", &[("ci", CI, &ci)]);
    let own_claims = with(super::assertions::claims("billing", "1"), "aud", OURS);
    let foreign = with(claims(), "jti", "1");
    for (signer, claims, expected) in [
        (&own, &own_claims, "billing by assertion".to_owned()),
        (&ci, &own_claims, AssertionCheck::Signature.reason().code.to_owned()),
        (&ci, &foreign, "billing by rule for ci".to_owned()),
        (&own, &foreign, code(F::Signature)),
    ] {
        let jwt = signer.sign("JWT", claims).unwrap();
        let outcome = test_env.present(&acme, assertion(Some("billing"), &jwt)).await;
        assert_eq!(said(outcome), expected, "{claims}");
    }
    let none = StaticClaims::default();
    let jwt = own.sign("JWT", &with(own_claims, "jti", "2")).unwrap();
    assert_eq!(test_env.present(&acme, assertion(None, &jwt)).await.unwrap().client().claims, none);
}

// [parties #7]: an issuer that a tenant trusts | say which subjects of the tenant's rules a workload is | be
//   a client by another subject, audience or claim, or at another tenant; have its assertion counted twice
//   where a rule says `once`; delay other tenants by not answering
// [federation RFC 7523 §3], [federation RFC 7523 §3 b]
/// Tries all combinations of six signers, issuers, tenants and so on. A tenant must accept only those that it
/// has declared.
#[tokio::test(start_paused = true)]
async fn forged_combinations_authenticate_no_client() {
    const TENANTS: [&str; 4] = ["acme", "globex", "initech", "umbrella"];
    const SUBJECTS: [&str; 6] =
        ["repo:a/x:main", "repo:a/y:main", "repo:b/x:main", "repo:a/x:main:", "a", "web"];
    let keys: Vec<_> = (0..6).map(|_| key(1)).collect();
    let issuers: Vec<_> = (0..6).map(|nth| format!("https://{nth}.example")).collect();
    // Each tenant trusts two issuers. Neighbouring tenants share one issuer and its subjects, but for clients
    // with other names.
    let trusted = |nth: usize| [nth, nth + 1];
    let rules = |nth: usize, client: usize| {
        let issuer = &issuers[trusted(nth)[client % 2]];
        vec![TrustRule::new(issuer, ["repo:a/*:main", "repo:b/*:main", "web"][client / 2])]
    };
    let store = FakeStore::default();
    let clients =
        |nth: usize| (0..6).map(move |client| (format!("c{}", (client + nth) % 6), rules(nth, client)));
    let all = (0..4).flat_map(|nth| clients(nth).map(move |(id, rules)| federated(TENANTS[nth], &id, rules)));
    let test_env = over(store, all.collect(), Rate::per_minute(10_000_000));
    let declared = |issuer: usize| (issuers[issuer].as_str(), issuers[issuer].as_str(), &keys[issuer]);
    let tenants: Vec<_> = (0..4).map(|nth| trusting(TENANTS[nth], &trusted(nth).map(declared))).collect();
    let (mut tried, mut accepted) = (0_u32, 0_u32);
    for (signer, key) in keys.iter().enumerate() {
        for (issuer, iss) in issuers.iter().enumerate() {
            for sub in SUBJECTS {
                for aud in TENANTS.iter().chain(&["other"]) {
                    let claims = json!({ "iss": iss, "sub": sub, "aud": aud, "iat": NOW, "exp": NOW + 60 });
                    let jwt = key.sign("JWT", &claims).unwrap();
                    for (nth, tenant) in tenants.iter().enumerate() {
                        let may = |rules: &[TrustRule]| {
                            signer == issuer
                                && *aud == TENANTS[nth]
                                && rules[0].issuer == *iss
                                && rules[0].subject.matches(sub)
                        };
                        let owner = clients(nth).find(|(_, rules)| may(rules)).map(|(id, _)| id);
                        let ids = (0..23).map(|id| format!("c{id}")).collect::<Vec<_>>();
                        for named in ids.iter().map(Some).chain([None]) {
                            let found =
                                test_env.present(tenant, assertion(named.map(String::as_str), &jwt)).await;
                            let found = found.ok().map(|client| client.client().id.to_string());
                            let expected =
                                owner.as_ref().filter(|owner| named.is_none_or(|named| named == *owner));
                            assert_eq!(found.as_ref(), expected, "{claims} by {signer} at {}", TENANTS[nth]);
                            tried += 1;
                            accepted += u32::from(found.is_some());
                        }
                    }
                }
            }
        }
    }
    assert!(tried - accepted >= 100_000 && accepted > 50, "{tried} tried, {accepted} accepted");
}

// [parties #7]
/// The issuer of one tenant does not answer. Requests of this tenant wait, but those of the other tenant are
/// served.
#[tokio::test(start_paused = true)]
async fn slow_issuer_delays_no_other_tenant() {
    let ci = key(1);
    let fetched = |tenant: &str| {
        let keys = IssuerKeys::Url(CI.to_owned());
        let issuer = TrustedIssuer { name: "ci".to_owned(), keys, ..TrustedIssuer::of_url(CI) };
        Tenant { trusted_issuers: vec![issuer], ..super::tenant(tenant) }
    };
    let clients =
        ["acme", "globex"].map(|tenant| federated(tenant, "svc", vec![TrustRule::new("ci", SUBJECT)]));
    let store = FakeStore { fetching_takes: Duration::from_secs(3_600), ..FakeStore::default() };
    let test_env = Arc::new(over(store, clients.into(), Rate::per_minute(10_000)));
    let jwt = |aud: &str| ci.sign("JWT", &with(claims(), "aud", aud)).unwrap();
    let slow = |_| {
        let (test_env, acme, jwt) = (Arc::clone(&test_env), fetched("acme"), jwt("acme"));
        tokio::spawn(async move { said(test_env.present(&acme, assertion(Some("svc"), &jwt)).await) })
    };
    let slow: Vec<_> = (0..100).map(slow).collect();
    let_all_go_on().await;
    let globex = trusting("globex", &[("ci", CI, &ci)]);
    let began = Instant::now();
    let outcome = test_env.present(&globex, assertion(None, &jwt("globex"))).await;
    assert_eq!((said(outcome), began.elapsed()), ("svc by rule for ci".to_owned(), Duration::ZERO));
    assert_eq!(test_env.store.fetches.load(Ordering::Relaxed), 1, "one fetch for all that wait");
    for slow in slow {
        assert_eq!(slow.await.unwrap(), code(F::KeySet));
    }
}
