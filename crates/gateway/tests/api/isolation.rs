//! Tenant isolation: a tenant's credentials are worthless at the other tenant. The tests try every path of the gateway with every kind of
//! credential, in both directions.

use gateway::{CertificateFormat, Options};
use protocol::{GrantType, JWT_BEARER};
use registry::Client;
use reqwest::Method;
use serde_json::json;
use testkit::fixtures;

use crate::administrators::{BOSS, TestEnv, clients_path};
use crate::answer::Answer;
use crate::app::{ACME, GLOBEX, TestApp, options, tenant_path};
use crate::applications::{assertion, declare_admin};
use crate::client_fixtures::{AUDITOR, CHOSEN, SVC, assertion_claims, assertion_key};
use crate::forge::{Forge, but, claims};
use crate::person::{Browser, add_person, add_web_client, redeem};
use crate::prover::{DPOP, Prover, hash_of, proof_claims, with_dpop};
use crate::routes;
use crate::token_certificates::{Certificate, ISSUED, Pki, SELF_SIGNED, clients_with_certificates, name_at};

/// The authentication that a path requires.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Rule {
    /// Client authentication.
    Client,
    /// Client authentication, and a token to introspect.
    Introspection,
    /// A bearer token.
    Bearer,
    /// A person's sign-in or its assertion; client credentials do not suffice.
    Person,
    /// An administration token.
    Administration,
    /// None, so credentials must not change the answer.
    Public,
    /// None, for an answer that counts requests, including its own.
    Numbers,
    /// The cookies of a browser: credentials of clients must not change what a person sees.
    Page,
}

pub(crate) const RULES: [(&str, Rule); 78] = [
    ("/api/v1/admin/tenants", Rule::Administration),
    ("/api/v1/admin/tenants/{id}", Rule::Administration),
    ("/api/v1/admin/tenants/{id}/suspend", Rule::Administration),
    ("/api/v1/admin/tenants/{id}/resume", Rule::Administration),
    ("/api/v1/admin/tenants/{id}/restore", Rule::Administration),
    ("/api/v1/admin/tenants/{id}/tokens/revoke", Rule::Administration),
    ("/api/v1/tenant/{id}/clients/{client}/tokens/revoke", Rule::Administration),
    ("/api/v1/admin/audit", Rule::Administration),
    ("/api/v1/tenant/{id}/clients", Rule::Administration),
    ("/api/v1/tenant/{id}/clients/{client}", Rule::Administration),
    ("/api/v1/tenant/{id}/clients/{client}/suspend", Rule::Administration),
    ("/api/v1/tenant/{id}/clients/{client}/resume", Rule::Administration),
    ("/api/v1/tenant/{id}/clients/{client}/explain", Rule::Administration),
    ("/api/v1/tenant/{id}/clients/{client}/secrets", Rule::Administration),
    ("/api/v1/tenant/{id}/clients/{client}/secrets/rotate", Rule::Administration),
    ("/api/v1/tenant/{id}/clients/{client}/secrets/{secret}", Rule::Administration),
    ("/api/v1/tenant/{id}/accounts", Rule::Administration),
    ("/api/v1/tenant/{id}/accounts/import", Rule::Administration),
    ("/api/v1/tenant/{id}/accounts/{account}", Rule::Administration),
    ("/api/v1/tenant/{id}/accounts/{account}/suspend", Rule::Administration),
    ("/api/v1/tenant/{id}/accounts/{account}/resume", Rule::Administration),
    ("/api/v1/tenant/{id}/accounts/{account}/unlock", Rule::Administration),
    ("/api/v1/tenant/{id}/accounts/{account}/throttling", Rule::Administration),
    ("/api/v1/tenant/{id}/accounts/{account}/password", Rule::Administration),
    ("/api/v1/tenant/{id}/accounts/{account}/sessions", Rule::Administration),
    ("/api/v1/tenant/{id}/accounts/{account}/sessions/{session}", Rule::Administration),
    ("/api/v1/tenant/{id}/accounts/{account}/consents", Rule::Administration),
    ("/api/v1/tenant/{id}/accounts/{account}/consents/{client}", Rule::Administration),
    ("/api/v1/tenant/{id}/keys", Rule::Administration),
    ("/api/v1/tenant/{id}/keys/{kid}", Rule::Administration),
    ("/api/v1/tenant/{id}/keys/rotate", Rule::Administration),
    ("/api/v1/tenant/{id}/keys/status", Rule::Administration),
    ("/api/v1/tenant/{id}/audit", Rule::Administration),
    ("/flow/execute", Rule::Person),
    ("/applications", Rule::Person),
    ("/applications/{application}", Rule::Person),
    ("/api/v1/tenant/{id}/oauth/token", Rule::Client),
    ("/oauth/token", Rule::Client),
    ("/oauth2/token", Rule::Client),
    ("/api/v1/tenant/{id}/oauth/introspect", Rule::Introspection),
    ("/oauth2/introspect", Rule::Introspection),
    ("/api/v1/tenant/{id}/oauth/revoke", Rule::Client),
    ("/api/v1/tenant/{id}/oauth/revocations", Rule::Public),
    ("/oauth/revoke", Rule::Client),
    ("/oauth2/revoke", Rule::Client),
    ("/api/v1/tenant/{id}/oauth/authorize", Rule::Page),
    ("/oauth2/authorize", Rule::Page),
    ("/api/v1/tenant/{id}/oauth/par", Rule::Client),
    ("/oauth2/par", Rule::Client),
    ("/api/v1/tenant/{id}/oauth/sign-in", Rule::Page),
    ("/api/v1/tenant/{id}/oauth/logout", Rule::Page),
    ("/oauth2/logout", Rule::Page),
    ("/api/v1/tenant/{id}/device", Rule::Page),
    ("/device", Rule::Page),
    ("/api/v1/tenant/{id}/account", Rule::Page),
    ("/account", Rule::Page),
    ("/api/v1/tenant/{id}/oauth/device_authorization", Rule::Client),
    ("/oauth2/device_authorization", Rule::Client),
    ("/api/v1/tenant/{id}/oauth/userinfo", Rule::Bearer),
    ("/oauth2/userinfo", Rule::Bearer),
    ("/api/v1/protected-resource", Rule::Bearer),
    ("/api/v1/tenant/{id}/strategies", Rule::Public),
    ("/api/v1/tenant/{id}/.well-known/jwks.json", Rule::Public),
    ("/oauth2/jwks", Rule::Public),
    ("/api/v1/tenant/{id}/.well-known/openid-configuration", Rule::Public),
    ("/api/v1/tenant/{id}/.well-known/oauth-authorization-server", Rule::Public),
    ("/.well-known/oauth-authorization-server/api/v1/tenant/{id}", Rule::Public),
    ("/health/live", Rule::Public),
    ("/health/ready", Rule::Public),
    ("/assets/{hash}/{file}", Rule::Public),
    ("/api/v1/tenant/{id}/oauth/theme/{file}", Rule::Public),
    ("/api/v1/tenant/{id}/oauth/logo/{hash}", Rule::Public),
    ("/metrics", Rule::Numbers),
    ("/openapi.json", Rule::Public),
    ("/docs", Rule::Public),
    ("/docs/errors", Rule::Public),
    ("/docs/scalar.js", Rule::Public),
    ("/docs/start.js", Rule::Public),
];

/// A foreign credential.
#[derive(Clone, Copy, Debug)]
enum Credential {
    /// A generated secret, in the header.
    Basic,
    /// A generated secret, in the body.
    Post,
    /// A chosen secret, in the header.
    ChosenBasic,
    /// A chosen secret, in the body.
    ChosenPost,
    /// A client's assertion for the foreign tenant.
    ClientAssertion,
    /// An assertion for this tenant, signed with the foreign client's key of the same `kid`.
    KeyForThisTenant,
    /// An assertion for this tenant, signed with the key that the foreign client of the same id publishes at the same URL.
    PublishedKey,
    /// A token from the foreign tenant.
    Token,
    /// A token with this tenant's issuer, signed with the foreign tenant's key of the same `kid`.
    KeyWithThisIssuer,
    /// A token with the foreign issuer, signed with this tenant's key, as if keys were mixed up.
    IssuerWithThisKey,
    /// A token with which a client administers the foreign tenant.
    AdminToken,
    /// The assertion of a sign-in where the foreign tenant is the default one.
    Assertion,
    /// A foreign token that is bound to a key, with a proof of that key for this request (RFC 9449).
    BoundToken,
    /// A foreign client's secret with a proof for this request (RFC 9449).
    ProvenSecret,
    /// A certificate of the authority for the foreign client of the same id (RFC 8705 §2.1).
    IssuedCertificate,
    /// The foreign client's own certificate (RFC 8705 §2.2).
    OwnCertificate,
    /// A foreign token that is bound to a certificate, with that certificate (RFC 8705 §3).
    CertificateBoundToken,
    /// The refresh token of a person of the foreign tenant. At the token endpoint: refresh.rs.
    RefreshToken,
}

const CREDENTIALS: [Credential; 18] = [
    Credential::Basic,
    Credential::Post,
    Credential::ChosenBasic,
    Credential::ChosenPost,
    Credential::ClientAssertion,
    Credential::KeyForThisTenant,
    Credential::PublishedKey,
    Credential::Token,
    Credential::KeyWithThisIssuer,
    Credential::IssuerWithThisKey,
    Credential::AdminToken,
    Credential::Assertion,
    Credential::BoundToken,
    Credential::ProvenSecret,
    Credential::IssuedCertificate,
    Credential::OwnCertificate,
    Credential::CertificateBoundToken,
    Credential::RefreshToken,
];

/// Has its keys at [`JWKS_URI`], in both tenants.
const PUBLISHING: &str = "publishing";
const JWKS_URI: &str = "https://keys.example.com/jwks";

fn published(tenant: &str) -> Client {
    let client = fixtures::client(&fixtures::tenant(tenant), PUBLISHING);
    Client { jwks_uri: Some(JWKS_URI.to_owned()), ..client }
}

/// The header with the client certificate, from a proxy.
const CLIENT_CERT: &str = "Client-Cert";

/// A gateway whose default tenant and protected resource are `home`'s, and a foreign tenant's credentials.
struct Setting {
    app: TestApp,
    home: &'static str,
    stranger: &'static str,
    tokens: [String; 8],
    prover: Prover,
    /// The foreign client's certificate of the authority, and its own one.
    certificates: [Certificate; 2],
    good: String,
}

async fn setting(home: &'static str, stranger: &'static str) -> Setting {
    let pki = Pki::new();
    let with_certificates = |tenant| {
        let mut options = options(tenant);
        let listener = options.listeners.remove(0);
        let proxied = pki.proxied(listener, "127.0.0.0/8", CLIENT_CERT, CertificateFormat::Rfc9440);
        Options { listeners: vec![proxied], ..options }
    };
    let test_env = TestEnv::over(TestApp::start_with(&with_certificates(home)));
    let administers = test_env.token(stranger, BOSS).await;
    let app = test_env.app;
    declare_admin(&app);
    let certificates_of = [home, stranger]
        .map(|tenant| [pki.issued(&name_at(tenant)), Certificate::self_signed(&name_at(tenant))]);
    for tenant in [home, stranger] {
        app.change_tenant(tenant, |tenant| {
            tenant.strategies.oidc = true;
            routes::show_logo(tenant);
        });
        let (client, jwks) = (published(tenant), json!({ "keys": [assertion_key(tenant).jwk] }));
        app.store.publish_jwks(&client.tenant, JWKS_URI, Some(&jwks.to_string()));
        app.store.put_client(client);
        let [_, own] = &certificates_of[usize::from(tenant == stranger)];
        clients_with_certificates(tenant, own).into_iter().for_each(|client| app.store.put_client(client));
    }
    let [_, certificates] = certificates_of;
    // Tenants have the same keys in each gateway.
    let elsewhere = TestApp::start_with(&options(stranger));
    declare_admin(&elsewhere);
    let assertion = assertion(&elsewhere, "admin").await;
    let [homes, strangers] = [Forge::of(home), Forge::of(stranger)];
    let token = app.token(stranger).await;
    let (forged, mixed) = (strangers.token(&claims(home)), homes.token(&claims(stranger)));
    let prover = Prover::new();
    let bound = strangers.token(&but(claims(stranger), json!({ "cnf": { "jkt": prover.thumbprint() } })));
    let cnf = json!({ "x5t#S256": certificates[0].thumbprint() });
    let bound_to_certificate = strangers.token(&but(claims(stranger), json!({ "cnf": cnf })));
    let refreshes = refresh_token(&app, stranger).await;
    let tokens = [token, forged, mixed, administers, assertion, bound, bound_to_certificate, refreshes];
    let good = app.token(home).await;
    Setting { app, home, stranger, tokens, prover, certificates, good }
}

/// Of a person who signs in there.
async fn refresh_token(app: &TestApp, tenant: &str) -> String {
    add_person(app, tenant);
    let secret = add_web_client(app, tenant, |client| client.grant_types.push(GrantType::RefreshToken));
    let code = Browser::new(app).code(tenant, &[]).await;
    let tokens = redeem(app, tenant, &secret, &code).await;
    tokens.json()["refresh_token"].as_str().unwrap().to_owned()
}

impl Setting {
    fn token(&self, credential: Credential) -> Option<&str> {
        match credential {
            Credential::Token => Some(&self.tokens[0]),
            Credential::KeyWithThisIssuer => Some(&self.tokens[1]),
            Credential::IssuerWithThisKey => Some(&self.tokens[2]),
            Credential::AdminToken => Some(&self.tokens[3]),
            Credential::Assertion => Some(&self.tokens[4]),
            Credential::BoundToken => Some(&self.tokens[5]),
            Credential::CertificateBoundToken => Some(&self.tokens[6]),
            Credential::RefreshToken => Some(&self.tokens[7]),
            Credential::Basic
            | Credential::Post
            | Credential::ChosenBasic
            | Credential::ChosenPost
            | Credential::ClientAssertion
            | Credential::KeyForThisTenant
            | Credential::PublishedKey
            | Credential::ProvenSecret
            | Credential::IssuedCertificate
            | Credential::OwnCertificate => None,
        }
    }

    /// A request with the credential at every place that the path allows.
    async fn ask(
        &self,
        method: &str,
        path: &str,
        credential: Option<Credential>,
        extra: (&str, &str),
    ) -> Answer {
        let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
        let mut form = vec![("grant_type", "client_credentials"), extra];
        let mut request = self.app.request(method.clone(), &routes::placed(path, self.home));
        let secrets = self.app.secrets(self.stranger);
        let named =
            if matches!(credential, Some(Credential::ClientAssertion)) { self.stranger } else { self.home };
        let mut claims = assertion_claims(named, path);
        if matches!(credential, Some(Credential::PublishedKey)) {
            (claims["iss"], claims["sub"]) = (PUBLISHING.into(), PUBLISHING.into());
        }
        let assertion = assertion_key(self.stranger).sign("JWT", &claims).unwrap();
        match credential {
            Some(Credential::Basic) => request = request.basic_auth(SVC, Some(secrets.of(SVC))),
            Some(Credential::ChosenBasic) => request = request.basic_auth(CHOSEN, Some(secrets.of(CHOSEN))),
            Some(Credential::Post) => form.extend([("client_id", SVC), ("client_secret", secrets.of(SVC))]),
            Some(Credential::ChosenPost) => {
                form.extend([("client_id", CHOSEN), ("client_secret", secrets.of(CHOSEN))]);
            }
            Some(Credential::ClientAssertion | Credential::KeyForThisTenant | Credential::PublishedKey) => {
                form.extend([("client_assertion_type", JWT_BEARER), ("client_assertion", &assertion)]);
            }
            Some(Credential::BoundToken) => {
                let (token, placed) =
                    (self.token(Credential::BoundToken).unwrap(), routes::placed(path, self.home));
                let claims = proof_claims(method.as_str(), &placed, self.app.now(), path);
                let proof = self.prover.proof(claims, json!({ "ath": hash_of(token) }));
                request = with_dpop(request, token, &proof);
            }
            Some(Credential::ProvenSecret) => {
                let placed = routes::placed(path, self.home);
                let claims = proof_claims(method.as_str(), &placed, self.app.now(), path);
                request = request.header(DPOP, self.prover.proof(claims, json!({})));
                form.extend([("client_id", SVC), ("client_secret", secrets.of(SVC))]);
            }
            Some(Credential::IssuedCertificate) => {
                request = request.header(CLIENT_CERT, self.certificates[0].header());
                form.push(("client_id", ISSUED));
            }
            Some(Credential::OwnCertificate) => {
                request = request.header(CLIENT_CERT, self.certificates[1].header());
                form.push(("client_id", SELF_SIGNED));
            }
            Some(Credential::CertificateBoundToken) => {
                let token = self.token(Credential::CertificateBoundToken).unwrap();
                request = request.header(CLIENT_CERT, self.certificates[0].header()).bearer_auth(token);
            }
            Some(token) => request = request.bearer_auth(self.token(token).unwrap()),
            None => {}
        }
        if method == Method::POST {
            request = request.form(&form);
        }
        Answer::to(request).await
    }

    async fn check(
        &self,
        (method, path): (&str, &str),
        rule: Rule,
        credential: Credential,
        without: &Answer,
    ) {
        let answer = self.ask(method, path, Some(credential), ("token", &self.good)).await;
        println!("{method} {path} {rule:?} {credential:?}: {}", answer.status);
        match rule {
            Rule::Client | Rule::Introspection => {
                answer.assert_refused(401, "invalid_client", "Client authentication failed");
            }
            Rule::Person => {
                let refused = if path == "/flow/execute" { 400 } else { 401 };
                assert_eq!((answer.status, answer.body.contains("\"code\"")), (refused, true), "{answer:?}");
            }
            Rule::Administration => {
                let is_token = self.token(credential).is_some();
                answer
                    .assert_problem(401, if is_token { "invalid-token" } else { "authentication-required" });
            }
            Rule::Bearer => assert_eq!((answer.status, answer.body.contains("data")), (401, false)),
            Rule::Page => {
                assert_eq!(answer.status, without.status, "{path} {credential:?}");
                assert!(!answer.body.contains(self.stranger), "{path}: {}", answer.body);
                assert!(!answer.header("set-cookie").contains("lk-s."), "nobody is signed in");
            }
            Rule::Numbers => {
                let named = [self.stranger, self.home, SVC].iter().any(|name| answer.body.contains(name));
                assert_eq!((answer.status, named), (200, false), "{path}: {}", answer.body);
            }
            Rule::Public => {
                assert!(answer.status == 200 && answer.body == without.body, "{path} {credential:?}");
                // The documentation page's library is megabytes of text and may contain any word.
                let foreign = answer.body.contains(self.stranger) && path != "/docs/scalar.js";
                assert!(!foreign, "{path}: {}", answer.body);
            }
        }
    }

    /// A client of this tenant introspects the foreign token.
    async fn check_introspection(&self, path: &str, credential: Credential) {
        let Some(token) = self.token(credential) else { return };
        for caller in [SVC, AUDITOR] {
            let request = self.app.request(Method::POST, &path.replace("{id}", self.home));
            let request = request.basic_auth(caller, Some(self.app.secrets(self.home).of(caller)));
            let answer = Answer::to(request.form(&[("token", token)])).await;
            assert_eq!((answer.status, answer.body.as_str()), (200, r#"{"active":false}"#), "{credential:?}");
        }
    }
}

#[test]
fn every_path_has_its_rule() {
    let mut ruled: Vec<_> = RULES.iter().map(|(path, _)| (*path).to_owned()).collect();
    let mut served: Vec<_> = routes::all().into_iter().map(|(_, path)| path).collect();
    ruled.sort();
    served.sort();
    served.dedup();
    assert_eq!(ruled, served);
}

#[tokio::test]
async fn no_credential_of_one_tenant_is_worth_anything_at_the_other() {
    for (home, stranger) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        let setting = setting(home, stranger).await;
        for (method, path) in routes::all() {
            let (_, rule) = RULES.iter().find(|(ruled, _)| *ruled == path).unwrap();
            let without = setting.ask(&method, &path, None, ("token", &setting.good)).await;
            let is_open = matches!(rule, Rule::Public | Rule::Numbers);
            if *rule != Rule::Page {
                assert_eq!(without.status == 200, is_open, "{path}");
            }
            for credential in CREDENTIALS {
                setting.check((&method, &path), *rule, credential, &without).await;
                if *rule == Rule::Introspection {
                    setting.check_introspection(&path, credential).await;
                }
            }
        }
    }
}

/// Guards against a matrix that passes because no credential works at all.
#[tokio::test]
async fn the_same_credentials_work_at_home() {
    for (home, stranger) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        let Setting { app, good, tokens, prover, certificates, .. } = setting(home, stranger).await;
        let administers = app.request(Method::GET, &clients_path(stranger)).bearer_auth(&tokens[3]);
        assert_eq!(Answer::to(administers).await.status, 200);
        let elsewhere = TestApp::start_with(&options(stranger));
        declare_admin(&elsewhere);
        let signed_in = elsewhere.request(Method::GET, "/applications").bearer_auth(&tokens[4]);
        assert_eq!(Answer::to(signed_in).await.status, 200);
        let [bound, path] = [tokens[5].as_str(), "/api/v1/protected-resource"];
        let proof = prover.proof(proof_claims("GET", path, app.now(), "1"), json!({ "ath": hash_of(bound) }));
        let shown = with_dpop(elsewhere.request(Method::GET, path), bound, &proof);
        assert_eq!(Answer::to(shown).await.status, 200);
        for (id, certificate) in [ISSUED, SELF_SIGNED].into_iter().zip(&certificates) {
            let request = app.request(Method::POST, &tenant_path(stranger, "/oauth/token"));
            let form = [("grant_type", "client_credentials"), ("client_id", id)];
            let answer = Answer::to(request.header(CLIENT_CERT, certificate.header()).form(&form)).await;
            assert_eq!(answer.status, 200, "{id}: {answer:?}");
            let token = answer.json()["access_token"].as_str().unwrap().to_owned();
            let path = tenant_path(stranger, "/oauth/introspect");
            let asked = app.request(Method::POST, &path).header(CLIENT_CERT, certificate.header());
            let form = [("client_id", id), ("token", token.as_str())];
            assert_eq!(Answer::to(asked.form(&form)).await.json()["active"], true, "{id}");
        }
        let caller = app.request(Method::POST, &tenant_path(stranger, "/oauth/introspect"));
        let caller = caller.basic_auth(AUDITOR, Some(app.secrets(stranger).of(AUDITOR)));
        assert_eq!(Answer::to(caller.form(&[("token", &tokens[6])])).await.json()["active"], true);
        let shown = app.request(Method::GET, "/api/v1/protected-resource").bearer_auth(&good);
        assert_eq!(Answer::to(shown).await.status, 200);
        let mut claims = assertion_claims(home, "at home");
        (claims["iss"], claims["sub"]) = (PUBLISHING.into(), PUBLISHING.into());
        let assertion = assertion_key(home).sign("JWT", &claims).unwrap();
        let form = [
            ("grant_type", "client_credentials"),
            ("client_assertion_type", JWT_BEARER),
            ("client_assertion", &assertion),
        ];
        assert_eq!(app.post(&tenant_path(home, "/oauth/token"), &form).await.status, 200);
        for client in [SVC, CHOSEN] {
            let token = app.token_of(home, client).await;
            let path = tenant_path(home, "/oauth/introspect");
            let request =
                app.request(Method::POST, &path).basic_auth(client, Some(app.secrets(home).of(client)));
            assert_eq!(Answer::to(request.form(&[("token", &token)])).await.json()["active"], true);
        }
    }
}

/// Both tenants' keys are named `oauth2-key-1`, and differ.
#[tokio::test]
async fn keys_of_one_name_are_two_keys() {
    let app = TestApp::start();
    let mut keys = Vec::new();
    for tenant in [ACME, GLOBEX] {
        app.token(tenant).await;
        keys.push(app.get(&tenant_path(tenant, "/.well-known/jwks.json")).await.json()["keys"][0].clone());
    }
    assert_eq!(keys[0]["kid"], keys[1]["kid"]);
    assert_ne!(keys[0]["n"], keys[1]["n"]);
}
