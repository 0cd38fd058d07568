//! Tests specific to Vault's transit engine, with a mock server.

use std::path::Path;

use keys::{KeyEncryptionKey, SealError};
use serde_json::json;
use values::Secret;
use zeroize::Zeroizing;

use super::VaultTransit;
use crate::key_service::shared_tests::{DATA_KEY, assert_unseals_only_in_its_context, message};
use crate::mock_server::{MockServer, TOKEN, VaultKeys, tls};
use crate::{OptionsError, VaultOptions, VaultToken};

pub(crate) async fn start() -> (MockServer, VaultKeys) {
    let keys = VaultKeys::default();
    keys.create("latchkey", false);
    let of_server = keys.clone();
    (MockServer::start(None, move |request| of_server.answer(request)).await, keys)
}

pub(crate) fn options(address: impl Into<String>) -> VaultOptions {
    let (address, transit_key) = (address.into(), "latchkey".to_owned());
    let (token, mount) = (token(TOKEN), "transit".to_owned());
    VaultOptions { address, transit_key, token, mount, namespace: None, ca: None }
}

pub(crate) fn token(text: &str) -> VaultToken {
    VaultToken::Text(Secret::new(text.to_owned()))
}

pub(crate) fn transit_with(options: VaultOptions) -> VaultTransit {
    VaultTransit::new(options).unwrap()
}

fn transit(server: &MockServer) -> VaultTransit {
    transit_with(options(server.url()))
}

/// A complete response with this data.
pub(crate) fn whole(data: &serde_json::Value) -> serde_json::Value {
    json!({"request_id": "", "lease_id": "", "renewable": false, "lease_duration": 0, "data": data})
}

// [parties #15]: Vault, AWS KMS | see and withhold wrapped data keys | see a private key, the pepper or a
//   value; swap one for another
#[tokio::test]
async fn sealed_value_unseals_only_in_its_context() {
    let (server, keys) = start().await;
    keys.create("derived", true);
    for key in ["latchkey", "derived"] {
        let transit = transit_with(VaultOptions { transit_key: key.to_owned(), ..options(server.url()) });
        let name = format!("vault:{}/transit/{key}", server.address);
        assert_unseals_only_in_its_context(transit, &name).await;
        assert_eq!(server.request_count(), 6);
    }
}

#[tokio::test]
async fn rotated_vault_key_opens_older_data_keys() {
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
async fn damage_is_distinguished_from_a_missing_key() {
    let (server, keys) = start().await;
    let transit = transit(&server);
    keys.rotate("latchkey");
    let wrapped = transit.wrap(&DATA_KEY, b"x").await.unwrap();
    for at in 0..wrapped.len() {
        let mut altered = wrapped.clone();
        altered[at] ^= 1;
        let error = transit.unwrap(&altered, b"x").await.unwrap_err();
        // `vault:v2:` may have become an earlier or a later version.
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
    let is_gone = async |expected: &str| {
        let found = transit.unwrap(&wrapped, b"x").await;
        assert!(matches!(&found, Err(SealError::KeyGone { name }) if name == expected), "{found:?}");
    };
    is_gone(transit.name()).await;
    keys.create("latchkey", false);
    is_gone(&format!("{} version 2", transit.name())).await;
}

#[tokio::test]
async fn vault_refusal_is_quoted_and_not_retried() {
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

pub(crate) fn token_in(file: &Path) -> VaultToken {
    VaultToken::File { path: file.to_owned(), read: |path| std::fs::read(path).map(Zeroizing::new) }
}

#[tokio::test]
async fn expired_token_is_read_again_from_its_file() {
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
    refused(&format!("{} still contains the token that Vault refused", file.display())).await;
    std::fs::write(&file, "hvs.half\nwritten").unwrap();
    let unusable = OptionsError::Token;
    refused(&format!("in {}: {unusable}", file.display())).await;
    std::fs::remove_file(&file).unwrap();
    let why = "No such file or directory (os error 2)";
    refused(&format!("cannot read the token file {}: {why}", file.display())).await;
    std::fs::write(&file, "hvs.next\n").unwrap();
    for request_count in [2, 1] {
        assert_eq!(*transit.unwrap(&wrapped, b"x").await.unwrap(), DATA_KEY);
        assert_eq!(server.request_count(), request_count, "the next request comes with the new one");
    }
    // Another wrong token in the file is tried once for each request.
    keys.take_only("hvs.third");
    std::fs::write(&file, "hvs.wrong").unwrap();
    let error = transit.unwrap(&wrapped, b"x").await.unwrap_err();
    assert!(message(&error).ends_with("* permission denied * invalid token"), "{}", message(&error));
    assert_eq!(server.request_count(), 3, "the last one asks whether the new token has ended");
    std::fs::write(&file, "hvs.third").unwrap();
    let unwrapping = || async { *transit.unwrap(&wrapped, b"x").await.unwrap() };
    let all = tokio::join!(unwrapping(), unwrapping(), unwrapping(), unwrapping());
    assert_eq!(all, (DATA_KEY, DATA_KEY, DATA_KEY, DATA_KEY));
}

#[tokio::test]
async fn configured_token_is_never_replaced() {
    let (server, keys) = start().await;
    let transit = transit(&server);
    keys.take_only("hvs.next");
    let error = transit.wrap(&DATA_KEY, b"x").await.unwrap_err();
    assert!(message(&error).ends_with("* permission denied * invalid token"), "{}", message(&error));
    assert_eq!(server.request_count(), 1);
}

#[test]
fn missing_token_file_is_refused() {
    let token = token_in(Path::new("/nowhere/token"));
    let error = VaultTransit::new(VaultOptions { token, ..options("https://vault.example") }).unwrap_err();
    assert_eq!(error.to_string(), "cannot read the token file /nowhere/token");
}

#[tokio::test]
async fn vault_certificate_must_be_from_the_configured_authority() {
    let ((acceptor, own), (_, other)) = (tls(), tls());
    let keys = VaultKeys::default();
    keys.create("latchkey", false);
    let server = MockServer::start(Some(acceptor), move |request| keys.answer(request)).await;
    let address = format!("https://localhost:{}", server.address.port());
    let trusting = |ca: Option<String>| {
        transit_with(VaultOptions { ca: ca.map(String::into_bytes), ..options(address.clone()) })
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
fn unusable_options_are_refused_without_showing_the_token() {
    let at = || options("https://vault.example");
    let refused = |options| VaultTransit::new(options).unwrap_err();
    for text in ["", "hvs.a b", "hvs.hunter2\n", "hvs.é"] {
        let error = refused(VaultOptions { token: token(text), ..at() });
        assert!(matches!(error, OptionsError::Token));
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }
    for name in ["", ".", "..", "a/b", "a?b", "a%2fb", "a b", "é"] {
        let error = refused(VaultOptions { transit_key: name.to_owned(), ..at() });
        assert!(matches!(error, OptionsError::Name { what: "transit_key", .. }), "{name}");
    }
    for mount in ["", "/transit", "transit/", "a/../b", "a//b"] {
        let error = refused(VaultOptions { mount: mount.to_owned(), ..at() });
        assert!(matches!(error, OptionsError::Name { what: "mount", .. }), "{mount}");
        let error = refused(VaultOptions { namespace: Some(mount.to_owned()), ..at() });
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
