//! Tests revocation and introspection, with the credential of the source.

use latchkey_client::{Secret, TokenSource, WorkloadToken};

use crate::stub::{Received, Reply, Stub};

/// A server whose metadata has all endpoints. It answers that the token `good` is active.
fn server(received: &Received) -> Reply {
    let base = format!("http://{}", received.header("host").unwrap());
    match received.path.as_str() {
        "/.well-known/oauth-authorization-server/acme" => Reply::json(
            200,
            format!(
                r#"{{"issuer":"{base}/acme","token_endpoint":"{base}/t","revocation_endpoint":"{base}/r","introspection_endpoint":"{base}/i"}}"#
            ),
        ),
        "/t" => Reply::token("good"),
        // Basic, for `billing` with the secret `s`.
        _ if received.header("authorization") != Some("Basic YmlsbGluZzpz") => {
            Reply::rejected(401, "invalid_client")
        }
        "/r" if received.body == "token=good" => Reply::json(200, ""),
        "/i" => {
            Reply::json(200, format!(r#"{{"active":{},"sub":"billing"}}"#, received.body == "token=good"))
        }
        _ => Reply::rejected(400, "invalid_request"),
    }
}

#[tokio::test]
async fn a_client_revokes_and_introspects_its_tokens() {
    let stub = Stub::start(server).await;
    let source = |secret: &str| {
        let builder = TokenSource::builder().issuer(stub.url("/acme")).client_id("billing");
        builder.credential(Secret::value(secret)).build().unwrap()
    };
    let tokens = source("s");
    let token = tokens.token().await.unwrap();
    let introspected = tokens.introspect(token.expose()).await.unwrap();
    let found = (introspected["active"].as_bool(), introspected["sub"].as_str());
    assert_eq!(found, (Some(true), Some("billing")));
    assert_eq!(tokens.introspect("other").await.unwrap()["active"], false);
    tokens.revoke(token.expose()).await.unwrap();
    assert!(tokens.cached().is_none(), "a revoked token is not cached");
    assert_eq!(tokens.revoke("malformed").await.unwrap_err().code(), Some("invalid_request"));
    assert_eq!(source("wrong").revoke("good").await.unwrap_err().code(), Some("invalid_client"));
}

#[tokio::test]
async fn impossible_revocation_or_introspection_is_an_error() {
    let stub = Stub::start(server).await;
    let builder = || {
        let builder = TokenSource::builder().token_endpoint(stub.url("/t")).client_id("billing");
        builder.credential(Secret::value("s"))
    };
    let unknown = builder().build().unwrap();
    let error = unknown.introspect("good").await.unwrap_err().to_string();
    assert!(error.starts_with("there is no introspection_endpoint"), "{error}");
    let nonsense = builder().introspection_endpoint(stub.url("/t")).build().unwrap();
    let error = nonsense.introspect("good").await.unwrap_err().to_string();
    assert!(error.ends_with("it is no introspection in JSON (RFC 7662 §2.2)"), "{error}");
    let elsewhere = builder().revocation_endpoint("http://id.example.com/r").build();
    assert!(elsewhere.unwrap_err().to_string().contains("is not https"));

    // An assertion that is used as a grant does not authenticate the client.
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "a.b.c").unwrap();
    let workload =
        builder().credential(WorkloadToken::file(file.path()).as_grant()).revocation_endpoint(stub.url("/r"));
    let before = stub.requests();
    assert!(workload.build().unwrap().revoke("good").await.is_err());
    assert_eq!(stub.requests(), before);
}
