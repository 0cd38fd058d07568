//! Tests that the client finds the token endpoint in the issuer's metadata.

use latchkey_client::{Secret, TokenSource};

use crate::stub::{Reply, Stub};

fn at(stub: &Stub) -> TokenSource {
    let builder = TokenSource::builder().issuer(stub.url("/acme")).client_id("billing");
    builder.credential(Secret::value("s")).build().unwrap()
}

#[tokio::test]
async fn metadata_is_read_once() {
    let stub = Stub::start(|received| {
        let base = format!("http://{}", received.header("host").unwrap());
        match received.path.as_str() {
            "/.well-known/oauth-authorization-server/acme" => {
                Reply::json(200, format!(r#"{{"issuer":"{base}/acme","token_endpoint":"{base}/t"}}"#))
            }
            "/t" => Reply::token("good"),
            _ => Reply::json(404, ""),
        }
    })
    .await;
    let tokens = at(&stub);
    let first = tokens.token().await.unwrap();
    tokens.invalidate(&first);
    assert_eq!((tokens.token().await.unwrap().expose(), stub.requests()), ("good", 3));
}

#[tokio::test]
async fn metadata_of_another_issuer_is_refused() {
    let evil = r#"{"issuer":"https://evil.example","token_endpoint":"https://evil.example/t"}"#;
    for (body, why) in [
        (evil, "it is about the issuer `https://evil.example`, not `"),
        ("{}", "it is no metadata of an authorization server: missing field `issuer`"),
    ] {
        let stub = Stub::start(move |_| Reply::json(200, body)).await;
        let error = at(&stub).token().await.unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    }
}

#[tokio::test]
async fn remote_token_endpoint_without_tls_is_refused() {
    let stub = Stub::start(|received| {
        let issuer = format!("http://{}/acme", received.header("host").unwrap());
        Reply::json(200, format!(r#"{{"issuer":"{issuer}","token_endpoint":"http://id.example.com/t"}}"#))
    })
    .await;
    let error = at(&stub).token().await.unwrap_err().to_string();
    assert!(error.contains("token_endpoint `http://id.example.com/t` is not https"), "{error}");
}
