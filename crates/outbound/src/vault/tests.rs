//! Vault's transit engine, against a mock server that speaks its protocol.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::{Engine, engine::general_purpose::STANDARD};
use keys::{EnvelopeSealer, KeyEncryptionKey, KeySealer, SealError, SealingContext};
use protocol::Secret;
use serde_json::json;
use tokio::net::TcpListener;
use zeroize::Zeroizing;

use super::VaultTransit;
use crate::mock_server::{Log, MockServer, Reply, TOKEN, VaultKeys, tls};
use crate::{OptionsError, VaultOptions, VaultToken};

const DATA_KEY: [u8; 32] = *b"a data key has 32 bytes, like me";

async fn start() -> (MockServer, VaultKeys) {
    let keys = VaultKeys::default();
    keys.create("latchkey", false);
    let of_server = keys.clone();
    (MockServer::start(None, move |request| of_server.answer(request)).await, keys)
}

fn options(address: impl Into<String>) -> VaultOptions {
    let (address, transit_key) = (address.into(), "latchkey".to_owned());
    let (token, mount) = (token(TOKEN), "transit".to_owned());
    VaultOptions { address, transit_key, token, mount, namespace: None, ca: None }
}

fn token(text: &str) -> VaultToken {
    VaultToken::Text(Secret::new(text.to_owned()))
}

fn transit(server: &MockServer) -> VaultTransit {
    VaultTransit::new(options(server.url())).unwrap()
}

/// The log of failed attempts.
#[track_caller]
fn message(error: &SealError) -> String {
    match error {
        SealError::Unavailable(service_error) => service_error.to_string(),
        error => format!("{error:?}"),
    }
}

#[tokio::test]
async fn what_was_sealed_unseals_in_its_place_only() {
    let (server, keys) = start().await;
    keys.create("derived", true);
    for key in ["latchkey", "derived"] {
        let transit =
            VaultTransit::new(VaultOptions { transit_key: key.to_owned(), ..options(server.url()) }).unwrap();
        let name = format!("vault:{}/transit/{key}", server.address);
        assert_eq!(transit.name(), name);
        let sealer = EnvelopeSealer::new(Arc::new(transit), Vec::new());
        let pepper = SealingContext::Named("pepper");
        let sealed = sealer.seal(&pepper, b"the pepper").await.unwrap();
        assert_eq!(EnvelopeSealer::sealed_with(&sealed).unwrap().key, name);
        assert_eq!(sealer.unseal(&pepper, &sealed).await.unwrap().as_slice(), b"the pepper");
        let elsewhere = sealer.unseal(&SealingContext::Named("salt"), &sealed).await;
        assert!(matches!(elsewhere, Err(SealError::Corrupt)));
        assert_eq!(server.request_count(), 3);
    }
}

#[tokio::test]
async fn vault_itself_refuses_another_context() {
    let (server, keys) = start().await;
    keys.create("derived", true);
    for key in ["latchkey", "derived"] {
        let transit =
            VaultTransit::new(VaultOptions { transit_key: key.to_owned(), ..options(server.url()) }).unwrap();
        let wrapped = transit.wrap(&DATA_KEY, b"acme 1").await.unwrap();
        assert_eq!(*transit.unwrap(&wrapped, b"acme 1").await.unwrap(), DATA_KEY);
        let error = transit.unwrap(&wrapped, b"other 1").await.unwrap_err();
        assert!(matches!(error, SealError::Corrupt), "{error}");
    }
}

#[tokio::test]
async fn a_key_that_vault_has_rotated_opens_what_it_wrapped_before() {
    let (server, keys) = start().await;
    let transit = transit(&server);
    let before = transit.wrap(&DATA_KEY, b"x").await.unwrap();
    keys.rotate("latchkey");
    let after = transit.wrap(&DATA_KEY, b"x").await.unwrap();
    assert_eq!([&before, &after].map(|wrapped| VaultTransit::key_version(wrapped)), [Some(1), Some(2)]);
    for wrapped in [&before, &after] {
        assert_eq!(*transit.unwrap(wrapped, b"x").await.unwrap(), DATA_KEY);
    }
    keys.require_version("latchkey", 2);
    let error = transit.unwrap(&before, b"x").await.unwrap_err();
    let expected = "ciphertext or signature version is disallowed by policy (too old)";
    assert_eq!(message(&error), format!("{} refuses with 400: {expected}", transit.name()));
}

#[tokio::test]
async fn damage_is_distinguished_from_a_key_that_is_gone() {
    let (server, keys) = start().await;
    let transit = transit(&server);
    keys.rotate("latchkey");
    let wrapped = transit.wrap(&DATA_KEY, b"x").await.unwrap();
    for at in 0..wrapped.len() {
        let mut altered = wrapped.clone();
        altered[at] ^= 1;
        let error = transit.unwrap(&altered, b"x").await.unwrap_err();
        // `vault:v2:` may become an earlier or a later version.
        let expected = matches!(error, SealError::Corrupt)
            || at == 7 && matches!(&error, SealError::KeyGone { name } if name.ends_with(" version 3"));
        assert!(expected, "{at}: {error}");
        assert!(transit.unwrap(&wrapped[..at], b"x").await.is_err(), "cut at {at}");
    }
    server.request_count();
    for nonsense in [&b""[..], b"AAAA", b"vault:v:AAAA", b"vault:v1:", b"vault:v+1:AAAA", &[0xff; 40]] {
        assert!(matches!(transit.unwrap(nonsense, b"x").await, Err(SealError::Corrupt)), "{nonsense:?}");
    }
    assert_eq!(server.request_count(), 0);
    keys.delete("latchkey");
    match transit.unwrap(&wrapped, b"x").await {
        Err(SealError::KeyGone { name }) => assert_eq!(name, transit.name()),
        outcome => panic!("{outcome:?}"),
    }
    keys.create("latchkey", false);
    match transit.unwrap(&wrapped, b"x").await {
        Err(SealError::KeyGone { name }) => assert_eq!(name, format!("{} version 2", transit.name())),
        outcome => panic!("{outcome:?}"),
    }
}

#[tokio::test]
async fn a_refusal_says_what_vault_said_and_is_not_repeated() {
    let (server, _) = start().await;
    let refused = |options: VaultOptions| async {
        let transit = VaultTransit::new(options).unwrap();
        let error = transit.wrap(&DATA_KEY, b"x").await.unwrap_err();
        assert_eq!(server.request_count(), 1);
        message(&error).replace(transit.name(), "it")
    };
    let wrong_token = VaultOptions { token: token("hvs.wrong"), ..options(server.url()) };
    let denied = "it refuses with 403: 2 errors occurred: * permission denied * invalid token";
    assert_eq!(refused(wrong_token).await, denied);
    let unknown_key = VaultOptions { transit_key: "other".to_owned(), ..options(server.url()) };
    assert_eq!(refused(unknown_key).await, "it refuses with 403: 1 error occurred: * permission denied");
    let unknown_mount = VaultOptions { mount: "kv/transit".to_owned(), ..options(server.url()) };
    let name = format!("vault:{}/kv/transit/latchkey", server.address);
    let missing = SealError::KeyGone { name: name.clone() };
    assert_eq!(refused(unknown_mount).await, format!("{missing:?}").replace(&name, "it"));
}

#[tokio::test]
async fn a_vault_that_is_down_fails_at_once_and_one_that_comes_back_serves() {
    let (server, _) = start().await;
    let transit = transit(&server);
    server.instead([Reply::json(503, &json!({"errors": ["Vault is sealed"]}))]);
    let wrapped = transit.wrap(&DATA_KEY, b"x").await.unwrap();
    assert_eq!(server.request_count(), 2);
    // It hangs up in the middle.
    server.instead([Reply::raw("")]);
    assert_eq!(*transit.unwrap(&wrapped, b"x").await.unwrap(), DATA_KEY);
    server.request_count();
    server.instead(vec![Reply::json(503, &json!({"errors": ["Vault is sealed"]})); 2]);
    let error = transit.unwrap(&wrapped, b"x").await.unwrap_err();
    assert_eq!(message(&error), format!("{} refuses with 503: Vault is sealed", transit.name()));
    assert_eq!(server.request_count(), 2);
    server.be_away(true);
    let error = transit.unwrap(&wrapped, b"x").await.unwrap_err();
    assert!(message(&error).contains(" does not answer: "), "{}", message(&error));
    server.be_away(false);
    assert_eq!(*transit.unwrap(&wrapped, b"x").await.unwrap(), DATA_KEY);
    drop(server);
    let begun = Instant::now();
    let error = transit.unwrap(&wrapped, b"x").await.unwrap_err();
    assert!(message(&error).contains(" does not answer: "), "{}", message(&error));
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_slow_vault_is_waited_for_three_seconds_and_once_more() {
    let (server, _) = start().await;
    let transit = transit(&server);
    let late = Reply::json(200, &json!({})).after(Duration::from_secs(30));
    server.instead(vec![late; 2]);
    let begun = Instant::now();
    let error = transit.wrap(&DATA_KEY, b"x").await.unwrap_err();
    assert!(message(&error).contains(" does not answer: "), "{}", message(&error));
    let waited = begun.elapsed().as_secs_f64();
    assert!((6.0..8.0).contains(&waited), "{waited}");
    assert_eq!(server.request_count(), 2);
}

#[tokio::test]
async fn a_connection_that_is_never_established_is_waited_for_one_second() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("https://{}", listener.local_addr().unwrap());
    let transit = VaultTransit::new(options(address)).unwrap();
    let begun = Instant::now();
    let error = transit.wrap(&DATA_KEY, b"x").await.unwrap_err();
    assert!(message(&error).contains(" does not answer: "), "{}", message(&error));
    let waited = begun.elapsed().as_secs_f64();
    assert!((2.0..4.0).contains(&waited), "{waited}");
}

fn token_in(file: &Path) -> VaultToken {
    VaultToken::File { path: file.to_owned(), read: |path| std::fs::read(path).map(Zeroizing::new) }
}

#[tokio::test]
async fn a_token_that_ended_is_followed_by_the_one_in_its_file() {
    let (server, keys) = start().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, format!("{TOKEN}\n")).unwrap();
    let of_file = VaultOptions { token: token_in(&file), ..options(server.url()) };
    let transit = VaultTransit::new(of_file).unwrap();
    let wrapped = transit.wrap(&DATA_KEY, b"x").await.unwrap();
    keys.take_only("hvs.next");
    server.request_count();
    let refused = async |why: &str| {
        let error = transit.unwrap(&wrapped, b"x").await.unwrap_err();
        let said = "refuses with 403: 2 errors occurred: * permission denied * invalid token";
        assert_eq!(message(&error), format!("{} {said}; {why}", transit.name()));
        assert_eq!(server.request_count(), 1);
    };
    refused(&format!("{} still holds the token that was refused", file.display())).await;
    std::fs::write(&file, "hvs.half\nwritten").unwrap();
    let unusable = OptionsError::Token;
    refused(&format!("in {}: {unusable}", file.display())).await;
    std::fs::remove_file(&file).unwrap();
    refused(&format!(
        "the token's file {} cannot be read: No such file or directory (os error 2)",
        file.display()
    ))
    .await;
    std::fs::write(&file, "hvs.next\n").unwrap();
    for request_count in [2, 1] {
        assert_eq!(*transit.unwrap(&wrapped, b"x").await.unwrap(), DATA_KEY);
        assert_eq!(server.request_count(), request_count, "the next request comes with the new one");
    }
    // Another one that Vault does not know either is tried once a request.
    keys.take_only("hvs.third");
    std::fs::write(&file, "hvs.wrong").unwrap();
    let error = transit.unwrap(&wrapped, b"x").await.unwrap_err();
    assert!(message(&error).ends_with("* permission denied * invalid token"), "{}", message(&error));
    assert_eq!(server.request_count(), 2);
    std::fs::write(&file, "hvs.third").unwrap();
    let unwrapping = || async { *transit.unwrap(&wrapped, b"x").await.unwrap() };
    let all = tokio::join!(unwrapping(), unwrapping(), unwrapping(), unwrapping());
    assert_eq!(all, (DATA_KEY, DATA_KEY, DATA_KEY, DATA_KEY));
}

#[tokio::test]
async fn a_configured_token_is_the_only_one() {
    let (server, keys) = start().await;
    let transit = transit(&server);
    keys.take_only("hvs.next");
    let error = transit.wrap(&DATA_KEY, b"x").await.unwrap_err();
    assert!(message(&error).ends_with("* permission denied * invalid token"), "{}", message(&error));
    assert_eq!(server.request_count(), 1);
}

#[test]
fn a_tokens_file_must_be_there() {
    let token = token_in(Path::new("/nowhere/token"));
    let error = VaultTransit::new(VaultOptions { token, ..options("https://vault.example") }).unwrap_err();
    assert_eq!(error.to_string(), "the token's file /nowhere/token cannot be read");
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let (server, _) = start().await;
    let (other, _) = start().await;
    let transit = transit(&server);
    for status in [301, 302, 307, 308] {
        let location = format!("location: {}/v1/transit/encrypt/latchkey", other.url());
        server.instead([Reply::of(status, &location, b"")]);
        let error = transit.wrap(&DATA_KEY, b"x").await.unwrap_err();
        assert_eq!(message(&error), format!("{} refuses with {status}: no reason", transit.name()));
    }
    assert_eq!((server.request_count(), other.request_count()), (4, 0));
}

#[tokio::test]
async fn nonsense_is_an_unavailable_vault_and_never_damage() {
    let (server, _) = start().await;
    let transit = transit(&server);
    let wrapped = transit.wrap(&DATA_KEY, b"x").await.unwrap();
    let whole = |data: serde_json::Value| json!({"request_id": "", "lease_id": "", "renewable": false, "lease_duration": 0, "data": data});
    let replies = [
        Reply::raw("SSH-2.0-OpenSSH_9.9\r\n"),
        Reply::of(200, "x: y", b""),
        Reply::of(200, "x: y", b"<html>secret plaintext</html>"),
        Reply::of(200, "x: y", &[0xff; 100]),
        Reply::of(400, "x: y", b"<html>secret plaintext</html>"),
        Reply::json(200, &json!({"data": {"plaintext": "secret plaintext"}})),
        Reply::json(200, &whole(json!(null))),
        Reply::json(200, &whole(json!({"plaintext": 7}))),
        Reply::json(200, &whole(json!({"plaintext": "secret plaintext", "ciphertext": "secret plaintext"}))),
        Reply::json(400, &json!({"errors": []})),
        Reply::json(400, &json!({"errors": ["something new"]})),
        Reply::json(418, &json!({"errors": ["I'm a teapot"]})),
    ];
    for (number, reply) in replies.into_iter().enumerate() {
        // An answer that is not HTTP is retried.
        server.instead([reply.clone(), reply.clone()]);
        for error in [transit.unwrap(&wrapped, b"x").await.unwrap_err(), {
            server.instead([reply.clone(), reply]);
            transit.wrap(&DATA_KEY, b"x").await.unwrap_err()
        }] {
            assert!(matches!(error, SealError::Unavailable(_)), "{number}: {error:?}");
            assert!(!format!("{error:?} {}", message(&error)).contains("secret plaintext"), "{number}");
        }
        server.forget();
    }
    // What authenticates and is no data key was not sealed by us.
    server.instead([Reply::json(200, &whole(json!({"plaintext": "AAAA"})))]);
    assert!(matches!(transit.unwrap(&wrapped, b"x").await, Err(SealError::Corrupt)));
}

#[tokio::test]
async fn only_the_given_authority_vouches_for_an_https_vault() {
    let ((acceptor, own), (_, other)) = (tls(), tls());
    let keys = VaultKeys::default();
    keys.create("latchkey", false);
    let server = MockServer::start(Some(acceptor), move |request| keys.answer(request)).await;
    let address = format!("https://localhost:{}", server.address.port());
    let trusting = |ca: Option<String>| {
        VaultTransit::new(VaultOptions { ca: ca.map(String::into_bytes), ..options(address.clone()) })
            .unwrap()
    };
    let transit = trusting(Some(own));
    let wrapped = transit.wrap(&DATA_KEY, b"x").await.unwrap();
    assert_eq!(*transit.unwrap(&wrapped, b"x").await.unwrap(), DATA_KEY);
    server.request_count();
    for ca in [None, Some(other)] {
        let error = trusting(ca).wrap(&DATA_KEY, b"x").await.unwrap_err();
        assert!(message(&error).contains("certificate"), "{}", message(&error));
    }
    assert_eq!(server.request_count(), 0);
}

#[test]
fn options_that_cannot_be_used_are_refused_and_print_no_token() {
    let at = || options("https://vault.example");
    let tokens = ["", "hvs.a b", "hvs.hunter2\n", "hvs.é"];
    for text in tokens {
        let error = VaultTransit::new(VaultOptions { token: token(text), ..at() }).unwrap_err();
        assert!(matches!(error, OptionsError::Token));
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }
    for name in ["", ".", "..", "a/b", "a?b", "a%2fb", "a b", "é"] {
        let error = VaultTransit::new(VaultOptions { transit_key: name.to_owned(), ..at() }).unwrap_err();
        assert!(matches!(error, OptionsError::Name { what: "transit_key", .. }), "{name}");
    }
    for mount in ["", "/transit", "transit/", "a/../b", "a//b"] {
        let error = VaultTransit::new(VaultOptions { mount: mount.to_owned(), ..at() }).unwrap_err();
        assert!(matches!(error, OptionsError::Name { what: "mount", .. }), "{mount}");
        let error =
            VaultTransit::new(VaultOptions { namespace: Some(mount.to_owned()), ..at() }).unwrap_err();
        assert!(matches!(error, OptionsError::Name { what: "namespace", .. }), "{mount}");
    }
    for ca in ["", "hunter2", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        assert!(VaultTransit::new(VaultOptions { ca: Some(ca.into()), ..at() }).is_err(), "{ca}");
    }
    let named = VaultTransit::new(VaultOptions { namespace: Some("eu/prod".to_owned()), ..at() }).unwrap();
    assert_eq!(named.name(), "vault:vault.example/eu/prod/transit/latchkey");
    assert_eq!(format!("{named:?}"), "VaultTransit(vault:vault.example/eu/prod/transit/latchkey)");
    assert!(!format!("{:?}", at()).contains(TOKEN));
}

#[tokio::test]
async fn the_most_talkative_log_holds_no_token_and_no_data_key() {
    let (log, _guard) = Log::capture();
    let (server, _) = start().await;
    let transit = transit(&server);
    let wrapped = transit.wrap(&DATA_KEY, b"x").await.unwrap();
    transit.unwrap(&wrapped, b"x").await.unwrap();
    transit.unwrap(&wrapped, b"y").await.unwrap_err();
    server.instead([Reply::of(200, "x: y", b"secret plaintext")]);
    transit.unwrap(&wrapped, b"x").await.unwrap_err();
    let log = log.text();
    assert!(log.contains("the log begins"), "{log}");
    for secret in [TOKEN, &STANDARD.encode(DATA_KEY), "secret plaintext", "authentication failed"] {
        assert!(!log.contains(secret), "{log}");
    }
}
