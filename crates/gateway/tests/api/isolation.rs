//! Tenant isolation: a tenant's credentials are worthless at the other tenant. Sends every kind of
//! credential to every path, in both directions.

use gateway::CertificateFormat;

use crate::applications::{assertion, declare_admin};
use crate::prelude::*;
use crate::token_certificates::{Certificate, ISSUED, Pki, SELF_SIGNED, clients_with_certificates, name_at};

/// The authentication that a path requires.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Rule {
    Client,
    /// Client authentication, and a token to introspect.
    Introspection,
    Bearer,
    /// A person's sign-in or assertion. Client credentials are not enough.
    Person,
    Administration,
    /// None, so credentials must not change the response.
    Public,
    /// None. The response contains counts of requests, including this one.
    Numbers,
    /// The cookies of a browser. Credentials of clients must not change what a person sees.
    Page,
}

/// Without the paths of the admin API.
const RULES: [(&str, Rule); 55] = [
    ("/flow/execute", Rule::Person),
    ("/applications", Rule::Person),
    ("/applications/{application}", Rule::Person),
    ("/api/v1/tenant/{id}/oauth/token", Rule::Client),
    ("/oauth/token", Rule::Client),
    ("/oauth2/token", Rule::Client),
    ("/api/v1/tenant/{id}/oauth/introspect", Rule::Introspection),
    ("/oauth2/introspect", Rule::Introspection),
    ("/api/v1/tenant/{id}/oauth/forward-auth", Rule::Bearer),
    ("/api/v1/tenant/{id}/oauth/revoke", Rule::Client),
    ("/api/v1/tenant/{id}/oauth/revocations", Rule::Public),
    ("/api/v1/tenant/{id}/oauth/usage", Rule::Client),
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
    ("/api/v1/tenant/{id}/account/set-password", Rule::Page),
    ("/api/v1/tenant/{id}/oauth/recover", Rule::Page),
    ("/api/v1/tenant/{id}/oauth/verify", Rule::Page),
    ("/api/v1/tenant/{id}/oauth/device_authorization", Rule::Client),
    ("/oauth2/device_authorization", Rule::Client),
    ("/api/v1/tenant/{id}/oauth/userinfo", Rule::Bearer),
    ("/oauth2/userinfo", Rule::Bearer),
    ("/api/v1/protected-resource", Rule::Bearer),
    ("/api/v1/secrets/leaked", Rule::Public),
    ("/api/v1/tenant/{id}/strategies", Rule::Public),
    ("/api/v1/tenant/{id}/.well-known/jwks.json", Rule::Public),
    ("/oauth2/jwks", Rule::Public),
    ("/api/v1/tenant/{id}/.well-known/openid-configuration", Rule::Public),
    ("/api/v1/tenant/{id}/.well-known/oauth-authorization-server", Rule::Public),
    ("/.well-known/oauth-authorization-server/api/v1/tenant/{id}", Rule::Public),
    ("/.well-known/openid-configuration", Rule::Public),
    ("/.well-known/oauth-authorization-server", Rule::Public),
    ("/{issuer}/.well-known/openid-configuration", Rule::Public),
    ("/.well-known/oauth-authorization-server/{issuer}", Rule::Public),
    ("/health/live", Rule::Public),
    ("/health/ready", Rule::Public),
    ("/assets/{hash}/{file}", Rule::Public),
    ("/api/v1/tenant/{id}/oauth/theme/{file}", Rule::Public),
    ("/api/v1/tenant/{id}/oauth/logo/{hash}", Rule::Public),
    ("/metrics", Rule::Numbers),
    ("/", Rule::Page),
    ("/openapi.json", Rule::Public),
    ("/docs", Rule::Public),
    ("/docs/errors", Rule::Public),
    ("/docs/config.schema.json", Rule::Public),
];

pub(crate) fn rule(path: &str) -> Rule {
    if routes::is_admin(path) {
        return Rule::Administration;
    }
    RULES.iter().find(|(ruled, _)| *ruled == path).unwrap_or_else(|| panic!("no rule for {path}")).1
}

/// A credential of the foreign tenant.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Credential {
    /// The client's secret in the header.
    Basic(&'static str),
    /// The client's secret in the body.
    Post(&'static str),
    /// A client's assertion for the foreign tenant.
    ClientAssertion,
    /// An assertion for this tenant, signed with the foreign client's key, which has the same
    /// `kid`.
    KeyForThisTenant,
    /// An assertion for this tenant, signed with the key that the foreign client with the same id
    /// publishes at the same URL.
    PublishedKey,
    /// An assertion for this tenant, for the client with the same id and rule. Only the foreign
    /// tenant trusts its issuer's key at the same URL.
    ForeignIssuer,
    Token,
    OpaqueToken,
    /// A token with this tenant's issuer, signed with the foreign tenant's key, which has the same
    /// `kid`.
    KeyWithThisIssuer,
    /// A token with the foreign issuer, signed with this tenant's key.
    IssuerWithThisKey,
    /// A token for administering the foreign tenant.
    AdminToken,
    /// The assertion of a sign-in at a gateway whose default tenant is the foreign one.
    Assertion,
    /// A foreign token that is bound to a key, with a proof of that key for this request (RFC
    /// 9449).
    BoundToken,
    /// A foreign client's secret, with a proof for this request (RFC 9449).
    ProvenSecret,
    /// A certificate that the authority issued to the foreign client with the same id (RFC 8705
    /// §2.1).
    IssuedCertificate,
    /// The foreign client's registered certificate (RFC 8705 §2.2).
    OwnCertificate,
    /// A foreign token that is bound to a certificate, with that certificate (RFC 8705 §3).
    CertificateBoundToken,
    /// An API key of a foreign client as an access token.
    ApiKey,
    /// An API key of a foreign client as a secret without `client_id`.
    ApiKeyAlone,
    /// The refresh token of a foreign person. refresh.rs tests the token endpoint.
    RefreshToken,
}

const CREDENTIALS: [Credential; 22] = [
    Credential::ForeignIssuer,
    Credential::ApiKey,
    Credential::ApiKeyAlone,
    Credential::Basic(SVC),
    Credential::Post(SVC),
    Credential::Basic(CHOSEN),
    Credential::Post(CHOSEN),
    Credential::ClientAssertion,
    Credential::KeyForThisTenant,
    Credential::PublishedKey,
    Credential::Token,
    Credential::OpaqueToken,
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

/// In both tenants the client has its keys at [`JWKS_URI`].
const PUBLISHING: &str = "publishing";
const JWKS_URI: &str = "https://keys.example.com/jwks";

fn published(tenant: &str) -> Client {
    let client = fixtures::client(&fixtures::tenant(tenant), PUBLISHING);
    Client { jwks_uri: Some(JWKS_URI.to_owned()), ..client }
}

/// A platform that both tenants trust. It has another key for each.
const PLATFORM_ISSUER: &str = "https://ci.example.com";

/// A client with a rule for the platform.
fn workload(tenant: &str) -> Client {
    let rule = registry::TrustRule::new("ci", "repo:a");
    Client {
        federated: registry::TrustRules(vec![rule]),
        ..fixtures::client(&fixtures::tenant(tenant), "workload")
    }
}

fn trust_platform(tenant: &mut tenancy::Tenant) {
    let jwks = json!({ "keys": [assertion_key(tenant.id.as_str()).jwk] });
    tenant.trusted_issuers = vec![tenancy::TrustedIssuer {
        name: "ci".to_owned(),
        keys: tenancy::IssuerKeys::Document(jwks.to_string()),
        ..tenancy::TrustedIssuer::of_url(PLATFORM_ISSUER)
    }];
}

/// The header in which a proxy passes the client certificate on.
const CLIENT_CERT: &str = "Client-Cert";

/// A gateway whose default tenant and protected resource belong to `home`, and credentials of a
/// foreign tenant.
struct Setting {
    app: TestApp,
    home: &'static str,
    stranger: &'static str,
    tokens: [(Credential, String); 10],
    prover: Prover,
    /// The foreign client's certificate of the authority, and its self-signed one.
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
    test_env.app.change_tenant(stranger, offer_api_keys);
    let path = format!("{}/{SVC}/api-keys", clients_path(stranger));
    let api_key = test_env.post(&administers, &path, json!({ "name": "n" })).await.text("api_key");
    let app = test_env.app;
    // Both tenants have such a key, with the same number.
    let mut opaque = String::new();
    for tenant in [home, stranger] {
        app.change_tenant(tenant, |tenant| tenant.access_token.format = tenancy::TokenFormat::Opaque);
        opaque = app.token(tenant).await;
        assert!(app.is_active(tenant, &opaque).await);
    }
    declare_admin(&app);
    let certificates_of = [home, stranger]
        .map(|tenant| [pki.issued(&name_at(tenant)), Certificate::self_signed(&name_at(tenant))]);
    for tenant in [home, stranger] {
        app.change_provider(tenant, |tenant| {
            routes::show_logo(tenant);
            offer_api_keys(tenant);
            trust_platform(tenant);
        });
        app.store.put_client(workload(tenant));
        let (client, jwks) = (published(tenant), json!({ "keys": [assertion_key(tenant).jwk] }));
        app.store.publish_jwks(&client.tenant, JWKS_URI, Some(&jwks.to_string()));
        app.store.put_client(client);
        let [_, own] = &certificates_of[usize::from(tenant == stranger)];
        clients_with_certificates(tenant, own).into_iter().for_each(|client| app.store.put_client(client));
    }
    let [_, certificates] = certificates_of;
    // A tenant has the same keys in each gateway.
    let elsewhere = TestApp::start_with(&options(stranger));
    declare_admin(&elsewhere);
    let assertion = assertion(&elsewhere, "admin").await;
    let [homes, strangers] = [Forge::from_tenant(home), Forge::from_tenant(stranger)];
    let prover = Prover::new();
    let bound = |cnf: Value| strangers.token(&but(claims(stranger), json!({ "cnf": cnf })));
    let thumbprint = certificates[0].thumbprint();
    let tokens = [
        (Credential::Token, app.token(stranger).await),
        (Credential::OpaqueToken, opaque),
        (Credential::KeyWithThisIssuer, strangers.token(&claims(home))),
        (Credential::IssuerWithThisKey, homes.token(&claims(stranger))),
        (Credential::AdminToken, administers),
        (Credential::Assertion, assertion),
        (Credential::BoundToken, bound(json!({ "jkt": prover.thumbprint() }))),
        (Credential::CertificateBoundToken, bound(json!({ "x5t#S256": thumbprint }))),
        (Credential::ApiKey, api_key),
        (Credential::RefreshToken, refresh_token(&app, stranger).await),
    ];
    let good = app.token(home).await;
    Setting { app, home, stranger, tokens, prover, certificates, good }
}

fn offer_api_keys(tenant: &mut tenancy::Tenant) {
    tenant.api_keys = Some(tenancy::ApiKeyPolicy::default());
}

/// The refresh token of a person of this tenant.
async fn refresh_token(app: &TestApp, tenant: &str) -> String {
    let secret = furnish(app, tenant, |client| client.grant_types.push(GrantType::RefreshToken));
    text(&Browser::new(app).tokens(tenant, &secret, &[]).await, "refresh_token").to_owned()
}

impl Setting {
    fn token(&self, credential: Credential) -> Option<&str> {
        self.tokens.iter().find(|(of, _)| *of == credential).map(|(_, token)| &**token)
    }

    /// Sends the credential in every place that the path allows.
    async fn ask(
        &self,
        method: &str,
        path: &str,
        credential: Option<Credential>,
        extra: (&str, &str),
    ) -> Answer {
        let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
        let placed = routes::placed(path, self.home);
        let mut form = vec![("grant_type", "client_credentials"), extra];
        let mut request = self.app.request(method.clone(), &placed);
        let secrets = self.app.secrets(self.stranger);
        let of_stranger = credential == Some(Credential::ClientAssertion);
        let mut claims = assertion_claims(if of_stranger { self.stranger } else { self.home }, path);
        if credential == Some(Credential::PublishedKey) {
            (claims["iss"], claims["sub"]) = (PUBLISHING.into(), PUBLISHING.into());
        }
        if credential == Some(Credential::ForeignIssuer) {
            (claims["iss"], claims["sub"]) = (PLATFORM_ISSUER.into(), "repo:a".into());
            claims["aud"] = format!("{PUBLIC_URL}{}", tenant_path(self.home, "")).into();
        }
        let assertion = assertion_key(self.stranger).sign("JWT", &claims).unwrap();
        let proof_with = |changes| {
            self.prover.proof(proof_claims(method.as_str(), &placed, self.app.now(), path), changes)
        };
        let [issued, own] = self.certificates.each_ref().map(Certificate::header);
        match credential {
            Some(Credential::Basic(client)) => request = request.basic_auth(client, Some(secrets.of(client))),
            Some(Credential::Post(client)) => {
                form.extend([("client_id", client), ("client_secret", secrets.of(client))]);
            }
            Some(
                Credential::ClientAssertion
                | Credential::KeyForThisTenant
                | Credential::PublishedKey
                | Credential::ForeignIssuer,
            ) => {
                form.extend([("client_assertion_type", JWT_BEARER), ("client_assertion", &assertion)]);
            }
            Some(Credential::ApiKeyAlone) => {
                form.push(("client_secret", self.token(Credential::ApiKey).unwrap()));
            }
            Some(Credential::BoundToken) => {
                let token = self.token(Credential::BoundToken).unwrap();
                request = with_dpop(request, token, &proof_with(json!({ "ath": hash_of(token) })));
            }
            Some(Credential::ProvenSecret) => {
                request = request.header(DPOP, proof_with(json!({})));
                form.extend([("client_id", SVC), ("client_secret", secrets.of(SVC))]);
            }
            Some(Credential::IssuedCertificate) => {
                request = request.header(CLIENT_CERT, issued);
                form.push(("client_id", ISSUED));
            }
            Some(Credential::OwnCertificate) => {
                request = request.header(CLIENT_CERT, own);
                form.push(("client_id", SELF_SIGNED));
            }
            Some(Credential::CertificateBoundToken) => {
                let token = self.token(Credential::CertificateBoundToken).unwrap();
                request = request.header(CLIENT_CERT, issued).bearer_auth(token);
            }
            Some(token) => request = request.bearer_auth(self.token(token).unwrap()),
            None => {}
        }
        if method == Method::POST {
            request = request.form(&form);
        }
        Answer::to(request).await
    }

    /// Random values, such as sealed forms and nonces, may contain the letters of any name.
    fn names_stranger(&self, body: &str) -> bool {
        let mut words = body.split(|letter: char| !letter.is_ascii_alphanumeric() && !"-_".contains(letter));
        words.any(|word| word.len() < 20 && word.contains(self.stranger))
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
                answer.assert_unauthenticated();
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
                assert!(!self.names_stranger(&answer.body), "{path}: {}", answer.body);
                assert!(!answer.header("set-cookie").contains("lk-s."), "nobody is signed in");
            }
            Rule::Numbers => {
                let named = [self.stranger, self.home, SVC].iter().any(|name| answer.body.contains(name));
                assert_eq!((answer.status, named), (200, false), "{path}: {}", answer.body);
            }
            Rule::Public => {
                let expected = (without.status, &without.body);
                assert_eq!((answer.status, &answer.body), expected, "{path} {credential:?}");
                assert!(!self.names_stranger(&answer.body), "{path}: {}", answer.body);
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
    let served = routes::all().into_iter().map(|(_, path)| path);
    let mut served: Vec<_> = served.filter(|path| !routes::is_admin(path)).collect();
    ruled.sort();
    served.sort();
    served.dedup();
    assert_eq!(ruled, served);
}

// [revocation RFC 7009 §2.1 c], [attacks #16], [rfc9700 §4.10.2]
#[tokio::test]
async fn credentials_are_worthless_at_the_other_tenant() {
    for (home, stranger) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        let setting = setting(home, stranger).await;
        for (method, path) in routes::all() {
            let rule = rule(&path);
            let without = setting.ask(&method, &path, None, ("token", &setting.good)).await;
            // No tenant of the test has the public URL as its issuer.
            let is_of_nobody = path.starts_with("/.well-known/") && !path.ends_with('}');
            let is_open = matches!(rule, Rule::Public | Rule::Numbers) && !is_of_nobody;
            if rule != Rule::Page {
                assert_eq!(matches!(without.status, 200 | 202), is_open, "{path}");
            }
            for credential in CREDENTIALS {
                setting.check((&method, &path), rule, credential, &without).await;
                if rule == Rule::Introspection {
                    setting.check_introspection(&path, credential).await;
                }
            }
        }
    }
}

/// Without this test, the matrix could pass because no credential works at all.
#[tokio::test]
async fn same_credentials_work_at_their_own_tenant() {
    for (home, stranger) in [(ACME, GLOBEX), (GLOBEX, ACME)] {
        let setting = setting(home, stranger).await;
        let Setting { app, good, prover, certificates, .. } = &setting;
        let token = |credential| setting.token(credential).unwrap();
        app.get_with(token(Credential::AdminToken), &clients_path(stranger)).await.assert_status(200);
        let elsewhere = TestApp::start_with(&options(stranger));
        declare_admin(&elsewhere);
        elsewhere.get_with(token(Credential::Assertion), "/applications").await.assert_status(200);
        let (bound, path) = (token(Credential::BoundToken), "/api/v1/protected-resource");
        let proof = prover.proof(proof_claims("GET", path, app.now(), "1"), json!({ "ath": hash_of(bound) }));
        Answer::to(with_dpop(elsewhere.request(Method::GET, path), bound, &proof)).await.assert_status(200);
        for (id, certificate) in [ISSUED, SELF_SIGNED].into_iter().zip(certificates) {
            let post = async |path: &str, form: &[(&str, &str)]| {
                let request = app.request(Method::POST, &tenant_path(stranger, path));
                Answer::to(request.header(CLIENT_CERT, certificate.header()).form(form)).await
            };
            let form = [("grant_type", "client_credentials"), ("client_id", id)];
            let token = post("/oauth/token", &form).await.access_token();
            let asked = post("/oauth/introspect", &[("client_id", id), ("token", &token)]).await;
            assert_eq!(asked.json()["active"], true, "{id}");
        }
        assert!(app.is_active(stranger, token(Credential::CertificateBoundToken)).await);
        app.get_with(good, path).await.assert_status(200);
        let mut claims = assertion_claims(home, "at home");
        (claims["iss"], claims["sub"]) = (PUBLISHING.into(), PUBLISHING.into());
        let assertion = assertion_key(home).sign("JWT", &claims).unwrap();
        app.post(&token_path(home), &asserted(&assertion)).await.assert_status(200);
        for client in [SVC, CHOSEN] {
            let token = app.token_of(home, client).await;
            let asked = app.post_as((home, client), "/oauth/introspect", &[("token", &token)]).await;
            assert_eq!(asked.json()["active"], true);
        }
    }
}
