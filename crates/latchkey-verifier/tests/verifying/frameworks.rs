//! Tests that actix-web, axum and tower give the same answers to the same requests, byte for byte.

use actix_web::body::to_bytes;
use actix_web::test::{TestRequest, call_service, init_service};
use actix_web::web::{Data, get};
use actix_web::{App, HttpResponse};
use axum::Router;
use axum::body::Body;
use axum::routing::get as route;
use http::Request;
use latchkey_verifier::{
    Bearer, Caller, ClientCertificate, Refusal, Thumbprint, Trusted, Verifier, VerifyLayer,
};
use serde::Deserialize;
use serde_json::json;
use tower_service::Service as _;

use crate::bound_tokens::{proof_claims, proof_header, thumbprint};
use crate::issuer::{ISSUER, Key, builder, keys_of};
use crate::time::TestClock;
const PATH: &str = "/v1/orders";

#[derive(Clone, Debug, Deserialize)]
struct Claims {
    jti: String,
}

/// Status, the headers that the verifier sets, and body.
type Answer = (u16, Vec<String>, String);

fn words(caller: &Caller<Claims>) -> Result<String, Refusal> {
    caller.require("orders:read")?;
    Ok(format!("{} {}", caller.client_id(), caller.claims().jti))
}

async fn of_actix(
    verifier: &Verifier,
    headers: &[(&str, String)],
    certificate: Option<Thumbprint>,
) -> Answer {
    async fn orders(caller: Bearer<Claims>) -> Result<HttpResponse, Refusal> {
        Ok(HttpResponse::Ok().body(words(&caller)?))
    }
    let app = App::new().app_data(Data::new(verifier.clone())).route(PATH, get().to(orders));
    let service = init_service(app).await;
    let mut request = TestRequest::get().uri(&format!("{PATH}?page=1"));
    for (name, value) in headers {
        request = request.append_header((*name, value.as_str()));
    }
    let request = request.to_request();
    if let Some(certificate) = certificate {
        use actix_web::HttpMessage as _;
        request.extensions_mut().insert(ClientCertificate(certificate));
    }
    let answer = call_service(&service, request).await;
    let status = answer.status().as_u16();
    let found = answer.headers().iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
    let found = sorted(found);
    let body = to_bytes(answer.into_body()).await.unwrap();
    (status, found, String::from_utf8(body.to_vec()).unwrap())
}

async fn of_router(
    mut router: Router,
    headers: &[(&str, String)],
    certificate: Option<Thumbprint>,
) -> Answer {
    let mut request = Request::get(format!("{PATH}?page=1"));
    for (name, value) in headers {
        request = request.header(*name, value);
    }
    let mut request = request.body(Body::empty()).unwrap();
    if let Some(certificate) = certificate {
        request.extensions_mut().insert(ClientCertificate(certificate));
    }
    let answer = router.call(request).await.unwrap();
    let status = answer.status().as_u16();
    let found = sorted(answer.headers().iter().map(|(name, value)| (name.as_str(), value.as_bytes())));
    let body = axum::body::to_bytes(answer.into_body(), usize::MAX).await.unwrap();
    (status, found, String::from_utf8(body.to_vec()).unwrap())
}

/// All headers except those that a framework adds for its own bodies.
fn sorted<'a>(headers: impl Iterator<Item = (&'a str, &'a [u8])>) -> Vec<String> {
    let ours = ["cache-control", "content-type", "retry-after", "www-authenticate"];
    let headers = headers.filter(|(name, value)| ours.contains(name) && !value.starts_with(b"text/plain"));
    let mut lines: Vec<_> =
        headers.map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value))).collect();
    // Frameworks only keep the order of values with the same name.
    lines.sort_by_key(|line| line.split(':').next().map(str::to_owned));
    lines
}

/// Behind a nested router, which shortens the URI.
fn axum_router(verifier: &Verifier) -> Router {
    async fn orders(caller: Bearer<Claims>) -> Result<String, Refusal> {
        words(&caller)
    }
    let nested = Router::new().route("/orders", route(orders));
    Router::new().nest("/v1", nested).with_state(verifier.clone())
}

fn tower_router(verifier: &Verifier) -> Router {
    async fn orders(request: Request<Body>) -> Result<String, Refusal> {
        words(request.extensions().get::<Caller<Claims>>().unwrap())
    }
    Router::new().route(PATH, route(orders)).layer(VerifyLayer::<Claims>::new(verifier.clone()))
}

#[tokio::test]
async fn frameworks_give_equal_answers() {
    let (clock, issuer, sender) = (TestClock::default(), Key::new("k1"), Key::new("s1"));
    let build = |keys: Option<&Key>| {
        let trusted = Trusted::issuer(ISSUER);
        let trusted = match keys {
            Some(key) => trusted.key_set(keys_of(key)),
            None => trusted.jwks_uri("http://127.0.0.1:1/"),
        };
        let builder = builder(&clock).issuer(trusted).realm("orders");
        builder.public_origin("https://orders.example.com").build().unwrap()
    };
    let (ready, away) = (build(Some(&issuer)), build(None));
    let now = clock.seconds();
    let with = |name: &str, value| issuer.token_with(ISSUER, now, name, value);
    let own = Thumbprint::of_certificate(b"own");
    let (good, bound) = (with("jti", json!("7")), with("cnf", json!({ "jkt": thumbprint(&sender) })));
    let of_certificate = with("cnf", json!({ "x5t#S256": own.to_string() }));
    // Each framework gets a new proof, because a proof is accepted once.
    let url = format!("https://orders.example.com{PATH}");
    let proof = |jti: &str| sender.sign(&proof_header(&sender), &proof_claims(&bound, jti, &url, now));
    let bearer = |token: &str| vec![("authorization", format!("Bearer {token}"))];
    let dpop = |proofs: &[&str]| {
        let mut headers = vec![("authorization", format!("DPoP {bound}"))];
        headers.extend(proofs.iter().map(|proof| ("dpop", (*proof).to_owned())));
        headers
    };
    const NEW_PROOF: &str = "new";
    let cases = [
        (&ready, bearer(&good), None, 200),
        (&ready, vec![], None, 401),
        (&ready, vec![("authorization", "Basic YTpi".to_owned())], None, 401),
        (&ready, [bearer(&good), bearer(&good)].concat(), None, 400),
        (&ready, bearer("no token"), None, 401),
        (&ready, bearer(&with("exp", json!(now))), None, 401),
        (&ready, bearer(&with("aud", json!("other"))), None, 401),
        (&ready, bearer(&with("iss", json!("https://evil.example"))), None, 401),
        (&ready, bearer(&Key::new("k1").token(ISSUER, now)), None, 401),
        (&ready, bearer(&with("scope", json!("orders:write"))), None, 403),
        (&ready, bearer(&bound), None, 401),
        (&ready, dpop(&[]), None, 401),
        (&ready, dpop(&[NEW_PROOF]), None, 200),
        (&ready, dpop(&[NEW_PROOF, NEW_PROOF]), None, 401),
        (&ready, dpop(&["no proof"]), None, 401),
        (&ready, bearer(&of_certificate), Some(own), 200),
        (&ready, bearer(&of_certificate), Some(Thumbprint::of_certificate(b"other")), 401),
        (&ready, bearer(&of_certificate), None, 401),
        (&away, bearer(&good), None, 503),
    ];
    for (number, (verifier, headers, certificate, status)) in cases.into_iter().enumerate() {
        let headers = |framework: &str| -> Vec<(&str, String)> {
            let fill = |value: &String| if value == NEW_PROOF { proof(framework) } else { value.clone() };
            headers.iter().map(|(name, value)| (*name, fill(value))).collect()
        };
        let actix = of_actix(verifier, &headers("actix"), certificate).await;
        let axum = of_router(axum_router(verifier), &headers("axum"), certificate).await;
        let tower = of_router(tower_router(verifier), &headers("tower"), certificate).await;
        assert_eq!(actix.0, status, "{number}: {actix:?}");
        assert_eq!(actix, axum, "{number}");
        assert_eq!(actix, tower, "{number}");
        let has_challenge = actix.1.iter().any(|line| line.starts_with("www-authenticate: "));
        assert_eq!(has_challenge, matches!(status, 400..=403), "{number}: {actix:?}");
    }
}

#[tokio::test]
async fn missing_verifier_gives_500() {
    async fn orders(_: Bearer) -> &'static str {
        "reached"
    }
    let service = init_service(App::new().route(PATH, get().to(orders))).await;
    let answer = call_service(&service, TestRequest::get().uri(PATH).to_request()).await;
    assert_eq!(answer.status().as_u16(), 500);
}
