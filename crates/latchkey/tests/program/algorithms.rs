//! Tests every algorithm and RSA key size with which a tenant may sign. Other libraries verify the program's
//! tokens with the tenant's key set. They must refuse the key sets of other tenants, although all keys have
//! the same `kid`.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use openidconnect::core::{CoreJsonWebKeySet, CoreJwsSigningAlgorithm};
use openidconnect::{JsonWebKey as _, JsonWebKeySetUrl};
use serde_json::{Value, json};

use crate::folder::Folder;
use crate::jwt;
use crate::library::Library;
use crate::program::Program;
use crate::running::tenant_path;
use crate::verifiers::client;

const SECRET: &str = "algorithms-svc-canary-77ab";

/// Tenant, algorithm, bits of an RSA key, bytes of a signature.
const TENANTS: [(&str, &str, Option<u32>, usize); 9] = [
    ("rs256", "RS256", None, 256),
    ("rs256-3072", "RS256", Some(3072), 384),
    ("rs256-4096", "RS256", Some(4096), 512),
    ("rs384", "RS384", Some(2048), 256),
    ("rs512", "RS512", None, 256),
    ("ps256", "PS256", None, 256),
    ("es256", "ES256", None, 64),
    ("es384", "ES384", None, 96),
    ("eddsa", "EdDSA", None, 64),
];

// [keys RFC 7517 §4], [keys RFC 7518 §3.1 b]
#[tokio::test]
async fn jose_accepts_tokens_of_every_algorithm() {
    let refusals = ["ERR_JWS_SIGNATURE_VERIFICATION_FAILED", "ERR_JWS_INVALID"];
    verified_by(Library::jose(), refusals).await;
}

// [keys RFC 7517 §5]
#[tokio::test]
async fn pyjwt_accepts_tokens_of_every_algorithm() {
    let refusals = ["InvalidSignatureError", "DecodeError"];
    verified_by(Library::pyjwt(), refusals).await;
}

// [core Core §15.1 b]: RS256 is served. A tenant may sign with another algorithm alone, and then is not for
//   clients that know RS256 only | departs
// [keys RFC 7517 §5]
#[tokio::test]
async fn openidconnect_accepts_signatures_of_every_algorithm() {
    let (_folder, program, tokens) = start().await;
    for (index, (tenant, algorithm, _, size)) in TENANTS.into_iter().enumerate() {
        let url = JsonWebKeySetUrl::new(program.url(&tenant_path(tenant, "/.well-known/jwks.json"))).unwrap();
        let keys = CoreJsonWebKeySet::fetch_async(&url, &client()).await.unwrap();
        let [key] = keys.keys().as_slice() else { panic!("one key in {keys:?}") };
        let algorithm: CoreJwsSigningAlgorithm = serde_json::from_value(json!(algorithm)).unwrap();
        for (other, token) in tokens.iter().enumerate() {
            let (message, signature) = token.rsplit_once('.').unwrap();
            let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).unwrap();
            let is_taken = key.verify_signature(&algorithm, message.as_bytes(), &signature).is_ok();
            assert_eq!(is_taken, other == index, "{tenant} on {}", TENANTS[other].0);
            assert!(other != index || signature.len() == size, "{tenant}: {} bytes", signature.len());
        }
    }
}

/// Gives a library each tenant's own token, another tenant's token and a malformed one. The second tenant's
/// key has the same algorithm as the first one's.
async fn verified_by(mut library: Library, [of_another, malformed]: [&str; 2]) {
    let (_folder, program, tokens) = start().await;
    for (index, (tenant, algorithm, _, _)) in TENANTS.into_iter().enumerate() {
        let question = json!({
            "jwks": program.url(&tenant_path(tenant, "/.well-known/jwks.json")),
            "issuer": format!("http://localhost:3000/api/v1/tenant/{tenant}"),
            "audience": "api",
            "algorithms": [algorithm],
        });
        let taken = library.verdict(&question, &tokens[index]);
        assert_eq!(taken, json!({ "claims": jwt::claims(&tokens[index]) }), "{tenant}");
        let verdict = library.verdict(&question, &tokens[(index + 1) % tokens.len()]);
        let refused = verdict["refused"].as_str().unwrap_or_else(|| panic!("{tenant}: {verdict}"));
        assert!(index > 0 || refused == of_another, "{tenant}: {verdict}");
        assert_eq!(library.verdict(&question, "none"), json!({ "refused": malformed }), "{tenant}");
        let header: Value = serde_json::from_str(&jwt::header(&tokens[index])).unwrap();
        assert_eq!((&header["alg"], &header["kid"]), (&json!(algorithm), &json!("oauth2-key-1")));
    }
}

/// Starts the program, and fetches a token for each tenant's `svc`.
async fn start() -> (Folder, Program, Vec<String>) {
    let mut settings = "server: { listeners: [{ address: 127.0.0.1:0 }], default_tenant: rs256 }\n\
                        storage: { url: sqlite://data/latchkey.db }\n\
                        keys: { sealing_key: { file: keys/sealing.key } }\ntenants:\n"
        .to_owned();
    for (tenant, algorithm, bits, _) in TENANTS {
        let bits = bits.map(|bits| format!(", rsa_bits: {bits}")).unwrap_or_default();
        let secret = format!("{{ value: {SECRET} }}");
        write!(
            settings,
            "  {tenant}:\n    strategies: {{ oauth2: {{ enabled: true }} }}\n    \
             signing: {{ algorithm: {algorithm}{bits} }}\n    resource_servers: {{ api: {{ scopes: [api:read] }} }}\n    \
             clients:\n      svc: {{ client_secret: {secret}, audiences: [api], scopes: [api:read] }}\n"
        )
        .unwrap();
    }
    let (folder, program) = Program::serving(&settings);
    let mut tokens = Vec::new();
    for (tenant, ..) in TENANTS {
        tokens.push(program.token(tenant, "svc", SECRET).await);
    }
    (folder, program, tokens)
}
