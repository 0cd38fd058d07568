//! Tests fetching over real sockets from servers that send any answer.

use std::time::Instant;

use super::*;
use crate::UnfitUrl;
use crate::mock_server::{MockRequest, MockServer, Reply, tls};

const JSON: &str = "content-type: application/json";
const FORM: &str = "logout_token=a.b.c";

fn acme() -> TenantId {
    TenantId::parse("acme").unwrap()
}

fn loopback() -> Fetcher {
    Fetcher::new(Guard::allowing(vec!["127.0.0.0/8".parse().unwrap()]))
}

async fn fetch(server: &MockServer) -> Result<Fetched, FetchError> {
    loopback().fetch(&acme(), &format!("{}/jwks", server.url()), "application/jwk-set+json").await
}

async fn serving(reply: Reply) -> MockServer {
    MockServer::start(None, move |_| reply.clone()).await
}

async fn post(server: &MockServer) -> Result<(), FetchError> {
    post_to(&loopback(), &format!("{}/logout", server.url())).await
}

async fn post_to(fetcher: &Fetcher, url: &str) -> Result<(), FetchError> {
    fetcher.post_form(&acme(), url, FORM.to_owned()).await
}

#[tokio::test]
async fn document_is_fetched_without_cookies_or_credentials() {
    let server = MockServer::start(None, |request: &MockRequest| {
        let header = |name: &str| request.headers.get(name).map(String::as_str);
        assert_eq!((request.method.as_str(), request.path.as_str()), ("GET", "/jwks"));
        assert_eq!(header("accept"), Some("application/jwk-set+json"));
        assert_eq!(header("accept-encoding"), Some("identity"), "no answer is decompressed");
        assert_eq!((header("cookie"), header("authorization"), header("referer")), (None, None, None));
        Reply::new(200, "cache-control: public, max-age=120\r\nset-cookie: a=b", b"{}")
    });
    let (server, fetcher) = (server.await, loopback());
    for _ in 0..2 {
        let url = format!("{}/jwks", server.url());
        let fetched = fetcher.fetch(&acme(), &url, "application/jwk-set+json").await.unwrap();
        assert_eq!((fetched.body.as_slice(), fetched.max_age), (&b"{}"[..], Some(Duration::from_secs(120))));
    }
}

// [fetches #3]: a name that resolves to such an address, now or at the next resolution | the address that is
//   connected to is the one that was judged
// [registration RFC 7591 §5]
#[tokio::test]
async fn fetch_from_forbidden_address_is_refused() {
    let server = serving(Reply::new(200, JSON, b"{}")).await;
    let port = server.address.port();
    let strict = Fetcher::new(Guard::default());
    for host in ["127.0.0.1", "127.1", "[::ffff:127.0.0.1]"] {
        let error = strict.fetch(&acme(), &format!("https://{host}:{port}/"), "*/*").await.unwrap_err();
        assert!(matches!(error, FetchError::Url(UnfitUrl::Address)), "{host}: {error}");
    }
    // A name that resolves only to loopback, by the hosts file.
    let error = strict.fetch(&acme(), &format!("https://localhost:{port}/"), "*/*").await.unwrap_err();
    assert!(matches!(error, FetchError::Address), "{error}");
    assert_eq!(server.request_count(), 0);
}

// [attacks #28]: Addresses of this server's own network, named for logout notices | The
//   [guard](#what-the-program-connects-to) of all fetches: addresses, names, redirects; 5 s, and nothing of
//   an answer is read
#[tokio::test]
async fn post_to_forbidden_address_is_refused() {
    let server = serving(Reply::new(200, JSON, b"{}")).await;
    let port = server.address.port();
    let strict = Fetcher::new(Guard::default());
    let hosts = "127.0.0.1 127.1 2130706433 0x7f000001 0.0.0.0 [::1] [::] [::ffff:127.0.0.1] [64:ff9b::7f00:1] 10.0.0.1
                 172.16.0.1 192.168.0.1 100.64.0.1 169.254.169.254 [fe80::1] [fd00:ec2::254]";
    for host in hosts.split_whitespace() {
        let error = post_to(&strict, &format!("https://{host}:{port}/")).await.unwrap_err();
        assert!(matches!(error, FetchError::Url(UnfitUrl::Address)), "{host}: {error}");
    }
    for url in ["http://localhost/", "http://example.com/", "ftp://example.com/", "file:///etc/passwd"] {
        let error = post_to(&strict, url).await.unwrap_err();
        assert!(matches!(error, FetchError::Url(_)), "{url}: {error}");
    }
    let error = post_to(&strict, &format!("https://localhost:{port}/")).await.unwrap_err();
    assert!(matches!(error, FetchError::Address), "{error}");
    assert_eq!(server.request_count(), 0);
}

// [fetches #4]: a redirect to such an address | not followed
// [registration RFC 7591 §5], [attacks #28]
#[tokio::test]
async fn redirects_are_not_followed() {
    let target = serving(Reply::new(200, JSON, b"{}")).await;
    for status in [301, 302, 303, 307, 308] {
        let server = serving(Reply::new(status, &format!("location: {}", target.url()), b"")).await;
        for error in [fetch(&server).await.unwrap_err(), post(&server).await.unwrap_err()] {
            assert!(matches!(error, FetchError::Status(found) if found == status), "{error}");
        }
        assert_eq!(server.request_count(), 2);
    }
    assert_eq!(target.request_count(), 0);
}

// [attacks #28]
#[tokio::test]
async fn form_is_posted_and_answer_body_is_ignored() {
    let server = MockServer::start(None, |request: &MockRequest| {
        let header = |name: &str| request.headers.get(name).map(String::as_str);
        assert_eq!((request.method.as_str(), request.path.as_str()), ("POST", "/logout"));
        assert_eq!(header("content-type"), Some("application/x-www-form-urlencoded"));
        assert_eq!((header("cookie"), header("authorization"), header("referer")), (None, None, None));
        assert_eq!(request.body, FORM.as_bytes());
        // The response announces a length above all limits and never ends.
        Reply::raw("HTTP/1.1 200 OK\r\nset-cookie: a=b\r\ncontent-length: 9999999999\r\n\r\nx")
    });
    let server = server.await;
    for _ in 0..2 {
        let begun = Instant::now();
        post(&server).await.unwrap();
        assert!(begun.elapsed() < LONGEST_POST, "{:?}", begun.elapsed());
    }
    for status in [200, 202, 204] {
        post(&serving(Reply::new(status, JSON, b"")).await).await.unwrap();
    }
    for status in [400, 404, 500, 503] {
        let error = post(&serving(Reply::new(status, JSON, b"{}")).await).await.unwrap_err();
        assert!(matches!(error, FetchError::Status(found) if found == status), "{error}");
    }
    for broken in ["", "SSH-2.0-OpenSSH\r\n"] {
        let error = post(&serving(Reply::raw(broken)).await).await.unwrap_err();
        assert!(matches!(error, FetchError::Connection(_)), "{error}");
    }
}

// [fetches #6]: an endless, large, slow or compressed answer | given up after 64 KiB or 2 s, and no answer is
//   decompressed
#[tokio::test]
async fn bad_answers_are_refused() {
    let chunked = |size: usize| {
        let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
        Reply::raw(format!("{head}{size:x}\r\n{}\r\n0\r\n\r\n", "a".repeat(size)))
    };
    let endless = Reply::raw("HTTP/1.1 200 OK\r\ncontent-length: 9999999999\r\n\r\n");
    for (reply, expected) in [
        (Reply::new(404, JSON, b"{}"), "the response has status 404"),
        (Reply::new(500, JSON, b"{}"), "the response has status 500"),
        (Reply::new(204, JSON, b""), "the response has status 204"),
        (Reply::new(200, "content-encoding: gzip", b"{}"), "the response is compressed"),
        (Reply::new(200, "content-encoding: br", b"{}"), "the response is compressed"),
        (Reply::new(200, JSON, &vec![b'a'; LARGEST + 1]), "the response is larger than 64 KiB"),
        (chunked(LARGEST + 1), "the response is larger than 64 KiB"),
        (endless, "the response is larger than 64 KiB"),
        (Reply::raw(""), "cannot connect:"),
        (Reply::raw("SSH-2.0-OpenSSH\r\n"), "cannot connect:"),
        (
            Reply::raw("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n"),
            "the response ended early:",
        ),
    ] {
        let error = fetch(&serving(reply).await).await.unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}, not {expected}");
    }
    for reply in [Reply::new(200, JSON, &vec![b'a'; LARGEST]), chunked(LARGEST)] {
        assert_eq!(fetch(&serving(reply).await).await.unwrap().body.len(), LARGEST);
    }
}

// [registration RFC 7591 §5], [fetches #6]
#[tokio::test]
async fn slow_answer_is_given_up_after_two_seconds() {
    let slow_head = serving(Reply::new(200, JSON, b"{}").after(Duration::from_secs(30))).await;
    let slow_body = serving(Reply::raw("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n{")).await;
    for server in [slow_head, slow_body] {
        let begun = Instant::now();
        let error = fetch(&server).await.unwrap_err();
        assert!(matches!(error, FetchError::TooSlow), "{error}");
        assert!(begun.elapsed() < LONGEST * 3, "{:?}", begun.elapsed());
    }
}

// [attacks #28]
#[tokio::test]
async fn unanswered_post_is_given_up_after_five_seconds() {
    let server = serving(Reply::new(200, JSON, b"").after(Duration::from_secs(60))).await;
    let begun = Instant::now();
    let error = post(&server).await.unwrap_err();
    assert!(matches!(error, FetchError::TooSlow), "{error}");
    assert!(begun.elapsed() < LONGEST_POST * 3, "{:?}", begun.elapsed());
}

#[tokio::test]
async fn untrusted_certificate_is_refused() {
    let (acceptor, _) = tls();
    let server = MockServer::start(Some(acceptor), |_| Reply::new(200, JSON, b"{}")).await;
    let url = format!("https://localhost:{}/", server.address.port());
    let fetched = loopback().fetch(&acme(), &url, "*/*").await.unwrap_err();
    for error in [fetched, post_to(&loopback(), &url).await.unwrap_err()] {
        assert!(matches!(error, FetchError::Connection(_) | FetchError::NoClient(_)), "{error}");
    }
    assert_eq!(server.request_count(), 0);
}

#[test]
fn max_age_is_read_from_cache_control() {
    let none = ["s-maxage=5", "max-age=-1", "max-age=", "max-age", "max-age=99999999999999999999999", ""];
    for (values, expected) in [
        (&["max-age=60", "public, Max-Age = 60 , immutable", "max-age=\"60\""][..], Some(60)),
        (&["max-age=60, max-age=30"], Some(30)),
        (&["max-age=60, no-cache", "no-store"], Some(0)),
        (&none, None),
    ] {
        for value in values {
            let headers = HeaderMap::from_iter([(CACHE_CONTROL, value.parse().unwrap())]);
            assert_eq!(max_age(&headers), expected.map(Duration::from_secs), "{value}");
        }
    }
    assert_eq!(max_age(&HeaderMap::new()), None);
}
