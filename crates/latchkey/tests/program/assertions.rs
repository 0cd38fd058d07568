//! Tests `private_key_jwt` with client libraries: each gets a token at its own tenant and none at the other.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use keys::{KeyId, PrivateKeyDocument, SigningKey};
use latchkey_client::{Algorithm, PrivateKeyJwt, TokenSource};
use protocol::{JWT_BEARER, SigningAlgorithm};
use serde_json::{Value, json};
use testkit::free_port;

use crate::answer::Answer;
use crate::cli::Cli;
use crate::folder::Folder;
use crate::foreign::{node, python};
use crate::jwt;
use crate::program::Program;
use crate::reload::eventually;
use crate::running::tenant_path;

pub(crate) const PUBLIC_URL: &str = "http://localhost:3000";

/// A client's key pair, in the forms that libraries read.
pub(crate) struct Pair {
    document: PrivateKeyDocument,
    pub(crate) key: SigningKey,
}

impl Pair {
    pub(crate) fn generate(algorithm: SigningAlgorithm) -> Self {
        Self::numbered(1, algorithm)
    }

    /// Generates a key with the `kid` for this number.
    pub(crate) fn numbered(number: u32, algorithm: SigningAlgorithm) -> Self {
        let document = PrivateKeyDocument::generate(algorithm).unwrap();
        let key = SigningKey::parse(KeyId::numbered(number), algorithm, document.expose()).unwrap();
        Self { document, key }
    }

    pub(crate) fn pem(&self) -> String {
        let body = BASE64_STANDARD.encode(self.document.expose());
        format!("-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n")
    }

    /// An assertion for a tenant's token endpoint.
    #[expect(clippy::disallowed_methods, reason = "a client reads its own clock")]
    pub(crate) fn assertion(&self, tenant: &str, jti: &str) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let claims =
            json!({ "iss": "signer", "sub": "signer", "aud": endpoint(tenant), "exp": now + 60, "jti": jti });
        self.key.sign("JWT", &claims).unwrap()
    }
}

pub(crate) fn endpoint(tenant: &str) -> String {
    format!("{PUBLIC_URL}{}", tenant_path(tenant, "/oauth/token"))
}

/// Each tenant has a client `signer` with its own key. One tenant's key is in the settings, the other's in a
/// separate file.
pub(crate) fn folder(pairs: &[Pair; 2]) -> Folder {
    let jwks = |pair: &Pair| json!({ "keys": [pair.key.jwk] }).to_string();
    let folder =
        Folder::with(&settings([&format!("jwks: {}", jwks(&pairs[0])), "jwks: { file: globex.jwks.json }"]));
    folder.write("globex.jwks.json", &jwks(&pairs[1]));
    folder
}

/// The settings with the keys of both tenants' clients.
pub(crate) fn settings(keys: [&str; 2]) -> String {
    let tenant = |keys: &str| {
        format!(
            "{{ strategies: {{ oauth2: {{ enabled: true }} }}, resource_servers: {{ api: {{ scopes: [api:read] }} }}, clients: \
             {{ signer: {{ token_endpoint_auth_method: private_key_jwt, {keys}, audiences: [api], scopes: [api:read] }} }} }}"
        )
    };
    format!(
        "server: {{ listeners: [{{ address: 127.0.0.1:0 }}] }}\nstorage: {{ url: sqlite://data/latchkey.db }}\n\
         keys: {{ sealing_key: {{ file: keys/sealing.key }} }}\ntenants:\n  acme: {}\n  globex: {}\n",
        tenant(keys[0]),
        tenant(keys[1]),
    )
}

/// Gives a library the tenant's key, for both tenants.
async fn with_library(algorithm: SigningAlgorithm, run: impl Fn(&[(&str, &str)]) -> String) {
    let pairs = [(); 2].map(|()| Pair::generate(algorithm));
    let folder = folder(&pairs);
    try_library(&Program::start(&folder), &pairs, run);
}

/// Checks that a library gets a token at the tenant of its key, and none at the other.
pub(crate) fn try_library(program: &Program, pairs: &[Pair; 2], run: impl Fn(&[(&str, &str)]) -> String) {
    for (pair, tenant, other) in [(&pairs[0], "acme", "globex"), (&pairs[1], "globex", "acme")] {
        let ask = |at: &str| {
            let environment = [
                ("ISSUER", format!("{PUBLIC_URL}/api/v1/tenant/{at}")),
                ("AUDIENCE", endpoint(at)),
                ("TOKEN_ENDPOINT", program.url(&tenant_path(at, "/oauth/token"))),
                ("KEY", pair.pem()),
            ];
            run(&environment.each_ref().map(|(name, value)| (*name, value.as_str())))
        };
        let tokens: Value = serde_json::from_str(&ask(tenant)).unwrap();
        for token in tokens.as_array().unwrap() {
            let claims = jwt::claims(token.as_str().unwrap_or_else(|| panic!("{tokens}")));
            assert_eq!((&claims["sub"], &claims["scope"]), (&json!("signer"), &json!("api:read")));
        }
        let refused: Value = serde_json::from_str(&ask(other)).unwrap();
        assert_eq!(refused, json!(vec![json!({ "refused": 401 }); tokens.as_array().unwrap().len()]));
    }
}

#[tokio::test]
async fn openid_client_and_oauth4webapi_authenticate_with_a_key() {
    with_library(SigningAlgorithm::ES256, openid_client_and_oauth4webapi).await;
}

#[tokio::test]
async fn authlib_authenticates_with_a_key() {
    with_library(SigningAlgorithm::RS256, authlib).await;
}

pub(crate) fn openid_client_and_oauth4webapi(environment: &[(&str, &str)]) -> String {
    node(include_str!("scripts/assertion.cjs"), environment).output()
}

pub(crate) fn authlib(environment: &[(&str, &str)]) -> String {
    python(include_str!("scripts/assertion.py"), environment).output()
}

#[tokio::test]
async fn a_token_source_signs_with_rsa_keys() {
    let pairs = [SigningAlgorithm::RS256, SigningAlgorithm::PS256].map(Pair::generate);
    let folder = folder(&pairs);
    // The audience of an assertion is the issuer, so the public URL must be the address that the client uses.
    let address = format!("127.0.0.1:{}", free_port());
    let mut serve = folder.program(&["serve", "--listen", &address]);
    let program =
        Program::spawn(&folder, serve.env("LATCHKEY__SERVER__PUBLIC_URL", format!("http://{address}")));
    for (pair, algorithm, tenant, other) in
        [(&pairs[0], Algorithm::Rs256, "acme", "globex"), (&pairs[1], Algorithm::Ps256, "globex", "acme")]
    {
        let source = |at: &str| {
            let builder =
                TokenSource::builder().issuer(program.url(&tenant_path(at, ""))).client_id("signer");
            builder.credential(PrivateKeyJwt::value(pair.pem()).algorithm(algorithm)).build().unwrap()
        };
        assert_eq!(jwt::claims(source(tenant).token().await.unwrap().expose())["sub"], "signer");
        assert_eq!(source(other).token().await.unwrap_err().code(), Some("invalid_client"));
    }
    program.stop();
}

pub(crate) async fn request(program: &Program, tenant: &str, assertion: &str) -> Answer {
    let form = [
        ("grant_type", "client_credentials"),
        ("client_assertion_type", JWT_BEARER),
        ("client_assertion", assertion),
    ];
    program.post(&tenant_path(tenant, "/oauth/token"), &form).await
}

#[tokio::test]
async fn used_assertion_is_refused_after_a_kill() {
    let pairs = [SigningAlgorithm::EdDSA, SigningAlgorithm::PS256].map(Pair::generate);
    let folder = folder(&pairs);
    let used = pairs.each_ref().map(|pair| pair.assertion("acme", "used"));
    let program = Program::start(&folder);
    assert_eq!(request(&program, "acme", &used[0]).await.status, 200);
    assert_eq!(request(&program, "acme", &used[1]).await.status, 401, "another tenant's key");
    program.kill();
    let program = Program::start(&folder);
    assert_eq!(request(&program, "acme", &used[0]).await.status, 401);
    assert_eq!(request(&program, "acme", &pairs[0].assertion("acme", "new")).await.status, 200);
    assert_eq!(request(&program, "globex", &pairs[1].assertion("globex", "used")).await.status, 200);
}

#[tokio::test]
async fn explaining_an_assertion_does_not_use_it() {
    let pairs = [SigningAlgorithm::ES256, SigningAlgorithm::EdDSA].map(Pair::generate);
    let (folder, program) = Program::serving_in(folder(&pairs));
    let (store, server) = (Cli::store(&folder), Cli::server(&folder, &program).await);
    for (pair, tenant, other) in [(&pairs[0], "acme", "globex"), (&pairs[1], "globex", "acme")] {
        let assertion = pair.assertion(tenant, "explained");
        folder.write_secret("client.jwt", &format!("{assertion}\n"));
        let explain = |of| {
            ["explain", of, "signer", "--auth-method", "private_key_jwt", "--assertion-file", "client.jwt"]
        };
        for cli in [&store, &server] {
            let explained = cli.json(&explain(tenant));
            assert_eq!(explained["result"], json!({ "status": 200 }), "{explained}");
            let ran = cli.run(&explain(other));
            assert_eq!((ran.code, ran.err.as_str()), (Some(7), ""), "{ran:?}");
            assert!(ran.out.starts_with("401 invalid_client (assertion_key_unknown)"), "{}", ran.out);
            assert!(!ran.out.contains(&assertion), "it is a credential");
        }
        assert_eq!(request(&program, tenant, &assertion).await.status, 200, "explaining uses nothing up");
    }
    program.stop();
}

/// Sends new assertions until one is accepted.
pub(crate) async fn until_key(program: &Program, tenant: &str, pair: &Pair) {
    let numbers = AtomicUsize::new(0);
    eventually("the key counts", async || {
        let jti = format!("attempt {}", numbers.fetch_add(1, Ordering::Relaxed));
        request(program, tenant, &pair.assertion(tenant, &jti)).await.status == 200
    })
    .await;
}

#[tokio::test]
async fn key_replaced_in_its_file_is_refused() {
    let pairs = [(); 2].map(|()| Pair::generate(SigningAlgorithm::ES256));
    let (folder, program) = Program::serving_in(folder(&pairs));
    assert_eq!(request(&program, "globex", &pairs[1].assertion("globex", "1")).await.status, 200);
    let new = Pair::generate(SigningAlgorithm::ES256);
    folder.replace("globex.jwks.json", &json!({ "keys": [new.key.jwk] }).to_string());
    until_key(&program, "globex", &new).await;
    assert_eq!(request(&program, "globex", &pairs[1].assertion("globex", "2")).await.status, 401);
}
