//! Metrics: which requests are counted, the text format, and that callers cannot create series.

use std::fmt::Write as _;

use futures_util::future::join_all;

use crate::client_fixtures;
use crate::prelude::*;

const TOKEN_ROUTE: &str = "/api/v1/tenant/{id}/oauth/token";

/// Series and value.
pub(crate) type Numbers = BTreeMap<String, f64>;

/// Waits until this number of requests is counted, because a request is counted after its response.
pub(crate) async fn numbers(app: &TestApp, expected: f64) -> Numbers {
    for _ in 0..1_000 {
        let answer = app.get("/metrics").await;
        let found = (answer.status, answer.header("content-type"));
        assert_eq!(found, (200, "text/plain; version=0.0.4; charset=utf-8"));
        let numbers = parse(&answer.body);
        let others = |(series, _): &(&String, &f64)| {
            series.starts_with("latchkey_http_requests_total") && !series.contains("\"/metrics\"")
        };
        let counted: f64 = numbers.iter().filter(others).map(|(_, value)| value).sum();
        if counted >= expected {
            assert!(counted <= expected, "{counted} instead of {expected}\n{}", answer.body);
            return numbers;
        }
        sleep(Duration::from_millis(10)).await;
    }
    panic!("{expected} requests are not counted");
}

/// Asserts that every line is a comment or a series, that no series is repeated, and that each
/// follows the comments of its name.
pub(crate) fn parse(text: &str) -> Numbers {
    assert!(text.ends_with('\n'));
    let mut numbers = Numbers::new();
    let mut of = "";
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# ") {
            let mut words = rest.split(' ');
            assert!(["HELP", "TYPE"].contains(&words.next().unwrap()), "{line}");
            of = words.next().unwrap();
            continue;
        }
        let (series, value) = line.rsplit_once(' ').unwrap();
        assert!(series.starts_with(of), "{line} under {of}");
        assert!(numbers.insert(series.to_owned(), value.parse().unwrap()).is_none(), "{series} twice");
    }
    numbers
}

fn requests(route: &str, status: u16, error: &str) -> String {
    format!("latchkey_http_requests_total{{route=\"{route}\",status=\"{status}\",error=\"{error}\"}}")
}

pub(crate) fn authentications(method: &str, outcome: &str) -> String {
    format!("latchkey_client_authentications_total{{method=\"{method}\",outcome=\"{outcome}\"}}")
}

/// Without the series of the metrics endpoint, which may not be counted yet.
fn series(numbers: &Numbers) -> Vec<&String> {
    numbers.keys().filter(|series| !series.contains("\"/metrics\"")).collect()
}

#[tokio::test]
async fn requests_are_counted_by_route_status_and_error() {
    let app = TestApp::start();
    // Both tenants share the series, so that thousands of tenants do not create thousands of
    // series.
    for tenant in [ACME, GLOBEX] {
        for _ in 0..3 {
            app.token(tenant).await;
        }
        app.fetch(tenant, SVC, "wrong").await.assert_unauthenticated();
        assert_eq!(app.post(&token_path(tenant), &[]).await.status, 400);
        assert_eq!(app.get(&token_path(tenant)).await.status, 405);
        assert_eq!(app.get(&tenant_path(tenant, "/.well-known/jwks.json")).await.status, 200);
    }
    assert_eq!(app.post(&token_path("initech"), &[]).await.status, 404);
    assert_eq!(app.get("/nowhere").await.status, 404);
    assert_eq!(app.get(RESOURCE).await.status, 401);

    let numbers = numbers(&app, 17.0).await;
    let jwks = "/api/v1/tenant/{id}/.well-known/jwks.json";
    for (series, expected) in [
        (requests(TOKEN_ROUTE, 200, ""), 6.0),
        (requests(TOKEN_ROUTE, 401, "invalid_client"), 2.0),
        (requests(TOKEN_ROUTE, 400, "invalid_request"), 2.0),
        (requests(TOKEN_ROUTE, 405, "invalid_request"), 2.0),
        (requests(TOKEN_ROUTE, 404, "not_found"), 1.0),
        (requests(jwks, 200, ""), 2.0),
        (requests("unknown", 404, "not_found"), 1.0),
        (requests(RESOURCE, 401, ""), 1.0),
        (format!("latchkey_http_request_duration_seconds_count{{route=\"{TOKEN_ROUTE}\"}}"), 13.0),
        ("latchkey_signatures_total{algorithm=\"RS256\"}".to_owned(), 6.0),
        ("latchkey_signatures_total{algorithm=\"ES256\"}".to_owned(), 0.0),
        (authentications("client_secret_post", "refused"), 2.0),
        (authentications("private_key_jwt", "accepted"), 0.0),
        ("latchkey_cache_loads_total{cache=\"clients\"}".to_owned(), 11.0),
    ] {
        assert_eq!(numbers.get(&series), Some(&expected), "{series}\n{numbers:#?}");
    }
    let bucket = |bound: &str| {
        numbers[&format!(
            "latchkey_http_request_duration_seconds_bucket{{route=\"{TOKEN_ROUTE}\",le=\"{bound}\"}}"
        )]
    };
    let counts = ["0.00005", "0.001", "0.1", "10", "+Inf"].map(bucket);
    assert!(counts.is_sorted() && counts[4] == 13.0, "{counts:?}");
    let sum = numbers[&format!("latchkey_http_request_duration_seconds_sum{{route=\"{TOKEN_ROUTE}\"}}")];
    assert!(sum > 0.0 && sum < 60.0, "{sum}");
    let text = format!("{numbers:?}");
    for name in client_fixtures::ALL.iter().chain(&[ACME, GLOBEX, "initech", "nowhere"]) {
        assert!(!text.contains(&format!("\"{name}")), "{name} in\n{text}");
    }
}

#[tokio::test]
async fn client_authentications_are_counted_by_method_and_outcome() {
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        let assertion = assertion_key(tenant).sign("JWT", &assertion_claims(tenant, "1")).unwrap();
        assert_eq!(app.post(&token_path(tenant), &asserted(&assertion)).await.status, 200);
        assert_eq!(app.post(&token_path(tenant), &asserted(&assertion)).await.status, 401);
        let named = [("grant_type", "client_credentials"), ("client_id", SVC)];
        assert_eq!(app.post(&token_path(tenant), &named).await.status, 401);
        let basic =
            app.request(Method::POST, &token_path(tenant)).basic_auth(SVC, Some(app.secrets(tenant).of(SVC)));
        Answer::to(basic.form(&[("grant_type", "client_credentials")])).await.assert_status(200);
    }
    let numbers = numbers(&app, 8.0).await;
    for (method, outcome, expected) in [
        ("private_key_jwt", "accepted", 2.0),
        ("private_key_jwt", "refused", 2.0),
        ("private_key_jwt", "unavailable", 0.0),
        ("none", "accepted", 0.0),
        ("none", "refused", 2.0),
        ("client_secret_basic", "accepted", 2.0),
        ("client_secret_post", "unavailable", 0.0),
    ] {
        let series = authentications(method, outcome);
        assert_eq!(numbers.get(&series), Some(&expected), "{series}");
    }
}

#[tokio::test]
async fn signatures_are_counted_by_the_signing_keys_algorithm() {
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        app.change_tenant(tenant, |tenant| tenant.signing.algorithm = SigningAlgorithm::ES256);
        assert_eq!(app.token(tenant).await.matches('.').count(), 2);
    }
    let numbers = numbers(&app, 2.0).await;
    let of = |algorithm: &str| numbers[&format!("latchkey_signatures_total{{algorithm=\"{algorithm}\"}}")];
    assert_eq!((of("RS256"), of("ES256")), (2.0, 0.0));
}

// [parties #16]
/// Ten thousand unknown paths, tenants and clients create no more series than one of each.
#[tokio::test]
async fn callers_cannot_create_series() {
    const BATCH: u32 = 100;
    let app = TestApp::start();
    let send = async |first: u32| {
        let mut connection = app.connect().await;
        let mut bytes = String::new();
        (first..first + BATCH).for_each(|number| append_odd_requests(&mut bytes, number));
        let (mut reader, mut writer) = connection.split();
        let written = writer.write_all(bytes.as_bytes());
        let read = async {
            for _ in 0..2 * BATCH {
                let status = Answer::next(&mut reader).await.status;
                assert!([400, 404].contains(&status), "{status}");
            }
        };
        tokio::join!(async { written.await.unwrap() }, read);
    };
    send(0).await;
    let before = numbers(&app, 2.0 * f64::from(BATCH)).await;
    // All at the same time, because a refusal takes at least 5 ms.
    join_all((BATCH..10_000).step_by(BATCH as usize).map(send)).await;
    let after = numbers(&app, 20_000.0).await;
    assert_eq!(series(&before), series(&after));
    assert_eq!(after[&requests("unknown", 404, "not_found")], 5_000.0);
}

/// Appends a request for an unknown path or tenant, and one for an unknown client. The latter has
/// an invalid grant, so that it costs no hash.
fn append_odd_requests(bytes: &mut String, number: u32) {
    let tenant = [ACME, GLOBEX][number as usize / 2 % 2];
    let unknown = match number % 2 {
        0 => format!("/odd/{number}"),
        _ => tenant_path(&format!("tenant-{number}"), "/strategies"),
    };
    let body = format!("grant_type=odd-{number}&client_id=client-{number}&client_secret=guess");
    let (path, length) = (token_path(tenant), body.len());
    let form = "content-type: application/x-www-form-urlencoded";
    let _ = write!(
        bytes,
        "GET {unknown} HTTP/1.1\r\nhost: x\r\n\r\n\
         POST {path} HTTP/1.1\r\nhost: x\r\n{form}\r\ncontent-length: {length}\r\n\r\n{body}"
    );
}

#[tokio::test]
async fn aborted_request_is_not_a_server_error() {
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        let path = token_path(tenant);
        let form = "content-type: application/x-www-form-urlencoded";
        let mut connection = app.connect().await;
        let head = format!("POST {path} HTTP/1.1\r\nhost: x\r\n{form}\r\ncontent-length: 100\r\n\r\n");
        connection.write_all(head.as_bytes()).await.unwrap();
        sleep(Duration::from_millis(100)).await;
    }
    let numbers = numbers(&app, 2.0).await;
    let text = format!("{numbers:?}");
    assert!(!text.contains("server_error") && !text.contains("\"500\""), "{text}");
    assert_eq!(Answer::to(app.request(Method::HEAD, "/metrics")).await.status, 200);
}
