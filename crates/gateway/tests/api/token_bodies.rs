//! The body of a token request: media type, size, method, and ignored parts.

use crate::prelude::*;

const TOO_LARGE: &str = "The request body is larger than 65536 bytes";

fn form(app: &TestApp, tenant: &str) -> String {
    format!("grant_type=client_credentials&client_id={SVC}&client_secret={}", app.secrets(tenant).of(SVC))
}

// [http RFC 9110 §15.5.16]: 415 for a body that is not a form
// [http RFC 9110 §8.3]: `Content-Type` occurs once. Two are 400, with any values: a filter in front of the
//   server may use the other one
// [oauth RFC 6749 §5.2 j]
#[tokio::test]
async fn only_form_media_types_are_accepted() {
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        for (media_type, taken) in [
            (Some("application/x-www-form-urlencoded"), true),
            (Some("application/x-www-form-urlencoded; charset=UTF-8"), true),
            (Some("Application/X-WWW-Form-Urlencoded ;charset=utf-8"), true),
            (Some("application/json"), false),
            (Some("multipart/form-data; boundary=x"), false),
            (Some("text/plain"), false),
            (Some("application/x-www-form-urlencodedx"), false),
            (Some(""), false),
            (None, false),
        ] {
            let mut request = app.request(Method::POST, &token_path(tenant)).body(form(&app, tenant));
            if let Some(media_type) = media_type {
                request = request.header("content-type", media_type);
            }
            let answer = Answer::to(request).await;
            if taken {
                assert_eq!(answer.status, 200, "{media_type:?} {}", answer.body);
            } else {
                let words = "The request body must be application/x-www-form-urlencoded";
                answer.assert_refused(415, "invalid_request", words);
            }
        }
        let twice = app.request(Method::POST, &token_path(tenant)).body(form(&app, tenant));
        let twice = twice.header("content-type", "application/x-www-form-urlencoded");
        let twice = Answer::to(twice.header("content-type", "application/json")).await;
        twice.assert_refused(400, "invalid_request", "The Content-Type header was sent more than once");
        let empty = Answer::to(app.request(Method::POST, &token_path(tenant))).await;
        empty.assert_refused(400, "invalid_request", "Missing grant_type parameter");
    }
}

// [http RFC 9110 §15.5.14]: 413 for a body over 64 KiB, declared or counted
// [limits #8]: body | 64 KiB, declared or counted | 413
#[tokio::test]
async fn body_is_limited_to_64_kib() {
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        for (length, status) in [(65_536, 200), (65_537, 413), (1 << 20, 413)] {
            let mut body = form(&app, tenant) + "&filler=";
            body.push_str(&"x".repeat(length - body.len()));
            let answer = app.post_body(&token_path(tenant), body).await;
            assert_eq!(answer.status, status, "{length}");
            if status == 413 {
                answer.assert_refused(413, "invalid_request", TOO_LARGE);
            }
        }
    }
}

// [http RFC 9110 §15.5.14]
#[tokio::test]
async fn too_large_declared_length_closes_the_connection() {
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        let mut connection = app.connect().await;
        let answer = Answer::to_bytes(&mut connection, head(tenant, "content-length: 65537")).await;
        answer.assert_refused(413, "invalid_request", TOO_LARGE);
        assert_eq!(answer.header("connection"), "close");
        assert_eq!(connection.read(&mut [0]).await.unwrap(), 0);
    }
}

// [http RFC 9110 §15.5.14], [limits #8]
#[tokio::test]
async fn size_of_a_chunked_body_is_limited() {
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        let small = form(&app, tenant);
        let chunk = format!("{:x}\r\n{small}\r\n0\r\n\r\n", small.len());
        let bytes = head(tenant, "transfer-encoding: chunked") + &chunk;
        Answer::to_bytes(&mut app.connect().await, bytes).await.assert_status(200);

        let mut bytes = head(tenant, "transfer-encoding: chunked");
        for _ in 0..17 {
            bytes.push_str(&format!("1000\r\n{}\r\n", "x".repeat(4096)));
        }
        let answer = Answer::to_bytes(&mut app.connect().await, bytes).await;
        answer.assert_refused(413, "invalid_request", TOO_LARGE);
        assert_eq!(answer.header("connection"), "close");
    }
}

// [oauth RFC 6749 §3.2]: A token request is a POST; every other method is refused
// [http RFC 9110 §9.1 b]: An unknown method is 501. Here 405, as for any other method that the path does not
//   support | departs
// [http RFC 9110 §15.5.6]: 405 comes with `Allow`
// [V13 13.4.4]: 2 | No TRACE | 405
#[tokio::test]
async fn only_post_is_accepted() {
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        for path in [token_path(tenant), "/oauth/token".to_owned(), "/oauth2/token".to_owned()] {
            for method in ["GET", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"] {
                let method = Method::from_bytes(method.as_bytes()).unwrap();
                let answer = Answer::to(app.request(method, &path)).await;
                answer.assert_refused(405, "invalid_request", "The method is not allowed here");
                assert_eq!(answer.header("allow"), "POST");
            }
        }
    }
}

// [oauth RFC 6749 §2.3.1 f]: Credentials are never in the request's URI
// [rfc9700 §4.3.2]: Tokens in the browser's history | No token and no secret is read from a query string
#[tokio::test]
async fn query_string_is_ignored() {
    let app = TestApp::start();
    for tenant in [ACME, GLOBEX] {
        let path = format!("{}?{}", token_path(tenant), form(&app, tenant));
        app.post(&path, &[]).await.assert_refused(400, "invalid_request", "Missing grant_type parameter");
        let answer = app.post(&path, &[("grant_type", "client_credentials")]).await;
        answer.assert_refused(401, "invalid_client", "Missing client_id parameter");
        let secret = app.secrets(tenant).of(SVC);
        let path = format!("{}?client_secret={secret}&scope=admin&grant_type=x", token_path(tenant));
        assert_eq!(app.post(&path, &credentials(SVC, secret)).await.status, 200);
    }
}

fn head(tenant: &str, framing: &str) -> String {
    let form = "content-type: application/x-www-form-urlencoded";
    format!("POST {} HTTP/1.1\r\nhost: x\r\n{form}\r\n{framing}\r\n\r\n", token_path(tenant))
}
