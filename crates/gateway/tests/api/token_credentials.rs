//! Tests malformed credentials: none causes an internal error, and none gets a token.

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use reqwest::header::HeaderValue;

use crate::prelude::*;

const FORM: &str = "application/x-www-form-urlencoded";
const GRANT: &str = "grant_type=client_credentials";

async fn check(app: &TestApp, tenant: &str, authorization: Option<&[u8]>, body: &[u8]) {
    let mut request = app.request(Method::POST, &token_path(tenant)).header("content-type", FORM);
    if let Some(bytes) = authorization {
        request = request.header("authorization", HeaderValue::from_bytes(bytes).unwrap());
    }
    let answer = Answer::to(request.body(body.to_vec())).await;
    println!("{authorization:?} {:?}", String::from_utf8_lossy(body));
    answer.assert_some_refusal();
    assert_eq!(answer.status == 401, answer.headers.contains_key("www-authenticate"), "{answer:?}");
    if answer.status == 401 {
        assert_eq!(answer.json()["error"], "invalid_client");
    }
}

#[tokio::test]
async fn two_authorization_headers_are_refused_even_if_both_are_good() {
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        let secret = Some(app.secrets(tenant).of(SVC));
        let request = app.request(Method::POST, &token_path(tenant));
        let request = request.basic_auth(SVC, secret).basic_auth(SVC, secret);
        let answer = Answer::to(request.form(&[("grant_type", "client_credentials")])).await;
        answer.assert_refused(400, "invalid_request", "The Authorization header was sent more than once");
    }
}

// [oauth RFC 6749 §3.2.1], [oauth RFC 6749 §5.2]
#[test]
fn generated_credentials_are_refused() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let app = TestApp::start();
    let header = proptest::option::of(prop_oneof![
        "[ -~]{0,40}",
        proptest::collection::vec(any::<u8>(), 0..40)
            .prop_map(|pair| format!("Basic {}", BASE64.encode(pair))),
        "svc:[ -~]{0,20}".prop_map(|pair| format!("Basic {}", BASE64.encode(pair))),
    ]);
    let body = proptest::collection::vec(any::<u8>(), 0..60);
    let cases = ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() };
    TestRunner::new(cases)
        .run(&(header, body, any::<bool>()), |(header, body, first)| {
            let tenant = if first { ACME } else { GLOBEX };
            let body = [GRANT.as_bytes(), b"&", &body].concat();
            runtime.block_on(check(&app, tenant, header.as_deref().map(str::as_bytes), &body));
            Ok(())
        })
        .unwrap();
}
