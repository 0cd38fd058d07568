//! Tests tokens that are bound to a key: each request has its own proof.

use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use latchkey_client::{SendWith as _, TokenError, TokenKind, TokenSource};
use serde_json::Value;

use crate::builder;
use crate::stub::{Received, Reply, Stub};

const TOKEN: &str = r#"{"access_token":"bound","token_type":"DPoP","expires_in":3600}"#;

/// Header and claims of the proof of a request, and how its token was sent.
#[derive(Debug)]
struct Seen {
    header: Value,
    claims: Value,
    authorization: Option<String>,
}

fn seen(received: &Received) -> Seen {
    let proof = received.header("dpop").unwrap();
    let mut parts = proof.split('.').map(|part| BASE64_URL_SAFE_NO_PAD.decode(part).unwrap());
    let mut next = || serde_json::from_slice(&parts.next().unwrap()).unwrap();
    let authorization = received.header("authorization").map(str::to_owned);
    Seen { header: next(), claims: next(), authorization }
}

/// Starts a token endpoint and an API, each of which requires its own nonce.
async fn servers() -> (TokenSource, Stub, Stub, Arc<Mutex<Vec<Seen>>>) {
    let all = Arc::new(Mutex::new(Vec::new()));
    let requiring = |nonce: &'static str, good: &'static str, missing: fn() -> Reply| {
        let noted = Arc::clone(&all);
        Stub::start(move |received| {
            let seen = seen(received);
            let reply = if seen.claims["nonce"] == nonce { Reply::json(200, good) } else { missing() };
            noted.lock().unwrap().push(seen);
            reply.with("dpop-nonce", nonce)
        })
    };
    let endpoint = requiring("of the endpoint", TOKEN, || Reply::rejected(400, "use_dpop_nonce")).await;
    let wants_nonce = || Reply::json(401, "{}").with("www-authenticate", "DPoP error=\"use_dpop_nonce\"");
    let api = requiring("of the API", "{}", wants_nonce).await;
    let tokens = builder(&endpoint).origin(api.url("/")).dpop().build().unwrap();
    (tokens, endpoint, api, all)
}

#[tokio::test]
async fn each_proof_has_the_nonce_of_its_server() {
    let (tokens, endpoint, api, all) = servers().await;
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    for _ in 0..2 {
        let answer = http.get(api.url("/orders?page=2")).send_with(&tokens).await.unwrap();
        assert_eq!(answer.status(), 200);
    }
    assert_eq!((endpoint.requests(), api.requests()), (2, 3), "each nonce is asked for once");
    let all = all.lock().unwrap();
    let [_, at_endpoint, first, with_nonce, second] = &all[..] else { panic!("{all:?}") };
    assert_eq!((&at_endpoint.claims["htm"], at_endpoint.claims.get("ath")), (&"POST".into(), None));
    assert_eq!(at_endpoint.claims["htu"], endpoint.url("/token"));
    for seen in [first, with_nonce, second] {
        assert_eq!(seen.authorization.as_deref(), Some("DPoP bound"));
        let named = (&seen.claims["htm"], &seen.claims["htu"], &seen.header["typ"]);
        assert_eq!(named, (&"GET".into(), &api.url("/orders").into(), &"dpop+jwt".into()));
        assert!(seen.claims["ath"].is_string() && seen.header["jwk"] == at_endpoint.header["jwk"]);
        assert!(seen.header["jwk"].get("d").is_none());
    }
    let mut ids: Vec<_> = all.iter().map(|seen| seen.claims["jti"].to_string()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all.len(), "no proof is sent twice");
}

#[tokio::test]
async fn proofs_are_available_for_other_http_libraries() {
    let (tokens, _endpoint, api, _) = servers().await;
    let token = tokens.token().await.unwrap();
    assert_eq!(token.kind(), TokenKind::Dpop);
    let url = api.url("/orders").parse().unwrap();
    let proof = tokens.proof(&token, "GET", &url).unwrap().unwrap();
    assert!(proof.is_sensitive() && !format!("{proof:?}").contains("ey"));
}

#[tokio::test]
async fn unrequested_token_type_is_refused() {
    for (is_dpop, kind) in [(true, "Bearer"), (false, "DPoP")] {
        let answer = TOKEN.replace("DPoP", kind);
        let stub = Stub::start(move |_| Reply::json(200, answer.clone())).await;
        let builder = builder(&stub);
        let tokens = if is_dpop { builder.dpop() } else { builder }.build().unwrap();
        let error = tokens.token().await.unwrap_err();
        assert!(matches!(error, TokenError::Unusable { .. }), "{error}");
    }
}

#[tokio::test]
async fn endless_nonce_requests_are_given_up() {
    let stub = Stub::start(|received| {
        Reply::rejected(400, "use_dpop_nonce").with("dpop-nonce", format!("n{}", received.number))
    })
    .await;
    let tokens = builder(&stub).dpop().build().unwrap();
    let error = tokens.token().await.unwrap_err();
    assert_eq!(error.code(), Some("use_dpop_nonce"));
    assert_eq!(stub.requests(), 2);
}
