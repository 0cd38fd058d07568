//! Malformed credentials: none causes an internal error, and none gets a token.

use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE};
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
async fn malformed_headers_are_refused() {
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        let secret = app.secrets(tenant).of(SVC);
        let rows = headers(secret);
        assert!(rows.len() >= 40, "{}", rows.len());
        for header in rows {
            check(&app, tenant, Some(&header), GRANT.as_bytes()).await;
        }
    }
}

fn headers(secret: &str) -> Vec<Vec<u8>> {
    let good = BASE64.encode(format!("{SVC}:{secret}"));
    let pairs: [&[u8]; 20] = [
        b"",
        b":",
        b"::",
        b"svc",
        b"svc:",
        b":secret",
        b"svc\0:secret",
        b"svc:sec\0ret",
        b"svc:\n",
        b"\r\nsvc:x",
        b"svc:\xff\xfe",
        b"\xc0\xaf:x",
        b"svc%:x",
        b"svc%00:x",
        b"%ff:%ff",
        b"svc%2:x%",
        b"SVC:x",
        b"svc :x",
        b"svc:x:y:z",
        "svc:\u{1f511}".as_bytes(),
    ];
    let mut rows: Vec<Vec<u8>> =
        pairs.iter().map(|pair| format!("Basic {}", BASE64.encode(pair)).into_bytes()).collect();
    for pair in
        [format!("{SVC}:{}", "x".repeat(5000)), format!("{}:x", "y".repeat(5000)), format!("{SVC}:{secret} ")]
    {
        rows.push(format!("Basic {}", BASE64.encode(pair)).into_bytes());
    }
    for text in [
        String::new(),
        "Basic".to_owned(),
        "Basic ".to_owned(),
        "Basic =".to_owned(),
        "Basic ====".to_owned(),
        "Basic a".to_owned(),
        "Basic !!!!".to_owned(),
        "Basic \u{e9}".to_owned(),
        format!("Basic{good}"),
        format!("Basic,{good}"),
        format!("Basic {good} {good}"),
        format!("Basic {good},{good}"),
        format!("Basic {good}!"),
        format!("Basic \"{good}\""),
        format!("Basic {}", URL_SAFE.encode("svc:\u{fb}\u{ff}?>")),
        format!("Basic {}", STANDARD_NO_PAD.encode("svc:wrong")),
        format!("Basic {SVC}:{secret}"),
        format!("Bearer {good}"),
        format!("Bearer {secret}"),
        format!("Digest username=\"{SVC}\", response=\"{secret}\""),
        format!("Negotiate {good}"),
        format!("DPoP {good}"),
        good.clone(),
        "null".to_owned(),
        "undefined undefined".to_owned(),
        "x".repeat(20_000),
    ] {
        rows.push(text.into_bytes());
    }
    rows.push(b"Basic \xff\xfe\xfd".to_vec());
    rows
}

// [oauth RFC 6749 §5.2]
#[tokio::test]
async fn malformed_bodies_are_refused() {
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        let secret = app.secrets(tenant).of(SVC);
        let rows = bodies(secret);
        assert!(rows.len() >= 20, "{}", rows.len());
        for body in rows {
            check(&app, tenant, None, &[GRANT.as_bytes(), b"&", &body].concat()).await;
        }
    }
}

fn bodies(secret: &str) -> Vec<Vec<u8>> {
    let long = "x".repeat(30_000);
    let mut rows: Vec<Vec<u8>> = [
        String::new(),
        "client_id".to_owned(),
        "client_id=".to_owned(),
        "client_id=svc".to_owned(),
        "client_id=svc&client_secret".to_owned(),
        "client_id=svc&client_secret=".to_owned(),
        format!("client_secret={secret}"),
        format!("client_id=&client_secret={secret}"),
        format!("client_id=SVC&client_secret={secret}"),
        format!("client_id=svc%00&client_secret={secret}"),
        format!("client_id=svc%0a&client_secret={secret}"),
        format!("client_id=+svc&client_secret={secret}"),
        format!("client_id=svc&client_secret={secret}%00"),
        format!("client_id=svc&client_secret={secret}+"),
        format!("client_id=svc&client_secret=%20{secret}"),
        format!("client_id=svc&client_secret={}", &secret[1..]),
        format!("client_id=svc&client_secret={}", secret.to_uppercase()),
        format!("client_id=svc;client_secret={secret}"),
        format!("client_id%3Dsvc&client_secret={secret}"),
        format!("CLIENT_ID=svc&client_secret={secret}"),
        format!("client_id[]=svc&client_secret[]={secret}"),
        format!("client_id=../acme/svc&client_secret={secret}"),
        format!("client_id=acme/svc&client_secret={secret}"),
        format!("client_id=svc'--&client_secret={secret}"),
        format!("client_id={long}&client_secret={secret}"),
        format!("client_id=svc&client_secret={long}"),
        "client_id=svc&client_secret=%".to_owned(),
        "client_id=svc&client_secret=%f0%9f%94%91".to_owned(),
    ]
    .map(String::into_bytes)
    .to_vec();
    rows.push(b"client_id=svc&client_secret=%ff".to_vec());
    rows.push(b"client_id=\xff\xfe&client_secret=x".to_vec());
    rows.push(b"\0\0\0\0".to_vec());
    rows
}

#[tokio::test]
async fn two_authorization_headers_are_refused() {
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        let secret = Some(app.secrets(tenant).of(SVC));
        let request = app.request(Method::POST, &token_path(tenant));
        let request = request.basic_auth(SVC, secret).basic_auth(SVC, secret);
        let answer = Answer::to(request.form(&[("grant_type", "client_credentials")])).await;
        answer.assert_refused(400, "invalid_request", "The Authorization header was sent more than once");
    }
}

// [oauth RFC 6749 §3.2.1]
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
