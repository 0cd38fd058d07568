//! Tests that apply to every key service, with mock servers. Tests for a single service are in its folder.
#![expect(clippy::unwrap_used, reason = "a helper that fails here has failed the test")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::{Engine, engine::general_purpose::STANDARD};
use keys::{EnvelopeSealer, KeyEncryptionKey, KeySealer, SealError, SealingContext};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::mock_server::{Log, MockServer, Reply, SECRET_KEY, TOKEN};
use crate::{kms, vault};

pub(crate) const DATA_KEY: [u8; 32] = *b"a data key has 32 bytes, like me";
#[derive(Clone, Copy, Debug, derive_more::Display, PartialEq, Eq)]
enum KeyService {
    AwsKms,
    Vault,
}

const ALL: [KeyService; 2] = [KeyService::AwsKms, KeyService::Vault];

async fn start(service: KeyService) -> MockServer {
    match service {
        KeyService::AwsKms => kms::tests::start().await.0,
        KeyService::Vault => vault::tests::start().await.0,
    }
}

async fn key_at(service: KeyService, address: String) -> Arc<dyn KeyEncryptionKey> {
    match service {
        KeyService::AwsKms => Arc::new(kms::tests::kms(kms::tests::options(address)).await),
        KeyService::Vault => Arc::new(vault::tests::transit_with(vault::tests::options(address))),
    }
}

/// The service's answers when it is unavailable, and how they are reported.
fn busy(service: KeyService) -> Vec<(Reply, &'static str)> {
    match service {
        KeyService::AwsKms => vec![
            (kms::tests::refusal(400, "ThrottlingException"), "ThrottlingException: as it is"),
            (kms::tests::refusal(500, "KMSInternalException"), "KMSInternalException: as it is"),
        ],
        KeyService::Vault => {
            vec![(Reply::json(503, &json!({"errors": ["Vault is sealed"]})), "503: Vault is sealed")]
        }
    }
}

/// An answer with this plaintext.
fn unsealed(service: KeyService, plaintext: &Value) -> Reply {
    let data = json!({"Plaintext": plaintext, "CiphertextBlob": plaintext, "plaintext": plaintext, "ciphertext": plaintext});
    let whole = if service == KeyService::Vault { vault::tests::whole(&data) } else { data };
    Reply::json(200, &whole)
}

/// The message in the log for a failed attempt.
#[track_caller]
pub(crate) fn message(error: &SealError) -> String {
    match error {
        SealError::Unavailable(service_error) => service_error.to_string(),
        error => format!("{error:?}"),
    }
}

#[track_caller]
fn assert_no_answer(error: &SealError) {
    assert!(message(error).contains(" does not respond: "), "{}", message(error));
}

/// Checks that the service itself, and a sealer that uses its key, refuse another context.
pub(crate) async fn assert_unseals_only_in_its_context(key: impl KeyEncryptionKey + 'static, name: &str) {
    assert_eq!(key.name(), name);
    let wrapped = key.wrap(&DATA_KEY, b"acme 1").await.unwrap();
    assert_eq!(*key.unwrap(&wrapped, b"acme 1").await.unwrap(), DATA_KEY);
    let error = key.unwrap(&wrapped, b"other 1").await.unwrap_err();
    assert!(matches!(error, SealError::Corrupt), "{error}");
    let sealer = EnvelopeSealer::new(Arc::new(key), Vec::new());
    let pepper = SealingContext::Named("pepper");
    let sealed = sealer.seal(&pepper, b"the pepper").await.unwrap();
    assert_eq!(EnvelopeSealer::sealed_with(&sealed).unwrap().key, name);
    assert_eq!(sealer.unseal(&pepper, &sealed).await.unwrap().as_slice(), b"the pepper");
    let elsewhere = sealer.unseal(&SealingContext::Named("salt"), &sealed).await;
    assert!(matches!(elsewhere, Err(SealError::Corrupt)));
}

#[tokio::test]
async fn unavailable_service_fails_fast_and_recovers() {
    for service in ALL {
        let server = start(service).await;
        let key = key_at(service, server.url()).await;
        let wrapped = key.wrap(&DATA_KEY, b"x").await.unwrap();
        let opens = async || *key.unwrap(&wrapped, b"x").await.unwrap() == DATA_KEY;
        let refused = async || key.unwrap(&wrapped, b"x").await.unwrap_err();
        for (reply, said) in busy(service) {
            server.request_count();
            server.instead([reply.clone()]);
            key.wrap(&DATA_KEY, b"x").await.unwrap();
            server.instead([reply.clone()]);
            assert!(opens().await);
            assert_eq!(server.request_count(), 4);
            server.instead([reply.clone(), reply]);
            assert_eq!(message(&refused().await), format!("{} refused the request with {said}", key.name()));
            assert_eq!(server.request_count(), 2);
        }
        // The server closes the connection during the request.
        server.instead([Reply::raw("")]);
        assert!(opens().await);
        server.be_away(true);
        assert_no_answer(&refused().await);
        server.be_away(false);
        assert!(opens().await);
        drop(server);
        let begun = Instant::now();
        assert_no_answer(&refused().await);
        assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    }
}

/// The seconds until wrapping fails.
async fn seconds_of_waiting(service: KeyService, address: String) -> f64 {
    let key = key_at(service, address).await;
    let begun = Instant::now();
    assert_no_answer(&key.wrap(&DATA_KEY, b"x").await.unwrap_err());
    begun.elapsed().as_secs_f64()
}

// [V13 13.2.6]
#[tokio::test]
async fn slow_service_gets_two_attempts_of_three_seconds() {
    let check = async |service| {
        let server = start(service).await;
        server.instead(vec![Reply::json(200, &json!({})).after(Duration::from_secs(30)); 2]);
        let waited = seconds_of_waiting(service, server.url()).await;
        assert!((6.0..8.0).contains(&waited), "{service}: {waited}");
        assert_eq!(server.request_count(), 2, "{service}");
    };
    tokio::join!(check(KeyService::AwsKms), check(KeyService::Vault));
}

#[tokio::test]
async fn connection_attempt_times_out_after_one_second() {
    let check = async |service| {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("https://{}", listener.local_addr().unwrap());
        let waited = seconds_of_waiting(service, address).await;
        assert!((2.0..4.0).contains(&waited), "{service}: {waited}");
    };
    tokio::join!(check(KeyService::AwsKms), check(KeyService::Vault));
}

// [V13 13.2.4]
#[tokio::test]
async fn a_redirect_is_not_followed() {
    for service in ALL {
        let [server, other] = [start(service).await, start(service).await];
        let key = key_at(service, server.url()).await;
        for status in [301, 302, 307, 308] {
            let location = format!("location: {}/v1/transit/encrypt/latchkey", other.url());
            server.instead([Reply::new(status, &location, b"")]);
            let error = key.wrap(&DATA_KEY, b"x").await.unwrap_err();
            assert!(matches!(error, SealError::Unavailable(_)), "{error:?}");
            if service == KeyService::Vault {
                assert_eq!(
                    message(&error),
                    format!("{} refused the request with {status}: no reason given", key.name())
                );
            }
        }
        assert_eq!((server.request_count(), other.request_count()), (4, 0), "{service}");
    }
}

#[tokio::test]
async fn invalid_answers_mean_unavailable_not_corrupt() {
    for service in ALL {
        let server = start(service).await;
        let key = key_at(service, server.url()).await;
        let wrapped = key.wrap(&DATA_KEY, b"x").await.unwrap();
        let of_service = match service {
            KeyService::AwsKms => {
                vec![Reply::json(400, &json!({})), kms::tests::refusal(400, "SomethingNewException")]
            }
            KeyService::Vault => vec![
                Reply::json(200, &json!({"data": {"plaintext": "secret plaintext"}})),
                Reply::json(200, &vault::tests::whole(&json!(null))),
                Reply::json(400, &json!({"errors": []})),
                Reply::json(400, &json!({"errors": ["something new"]})),
                Reply::json(418, &json!({"errors": ["I'm a teapot"]})),
            ],
        };
        let replies = [
            Reply::raw("SSH-2.0-OpenSSH_9.9\r\n"),
            Reply::new(200, "x: y", b""),
            Reply::new(200, "x: y", b"<html>secret plaintext</html>"),
            Reply::new(200, "x: y", &[0xff; 100]),
            Reply::new(400, "x: y", b"<html>secret plaintext</html>"),
            Reply::json(200, &json!({})),
            unsealed(service, &json!("secret plaintext")),
            unsealed(service, &json!(7)),
        ];
        for (number, reply) in replies.into_iter().chain(of_service).enumerate() {
            // A response that is not HTTP is tried again.
            server.instead([reply.clone(), reply.clone()]);
            let unwrapping = key.unwrap(&wrapped, b"x").await.unwrap_err();
            server.forget();
            server.instead([reply.clone(), reply]);
            let wrapping = key.wrap(&DATA_KEY, b"x").await.unwrap_err();
            server.forget();
            for error in [unwrapping, wrapping] {
                assert!(matches!(error, SealError::Unavailable(_)), "{service} {number}: {error:?}");
                assert!(!format!("{error:?} {}", message(&error)).contains("secret plaintext"), "{number}");
            }
        }
        // An authenticated plaintext that is not a data key was sealed by another program.
        server.instead([unsealed(service, &json!("AAAA"))]);
        assert!(matches!(key.unwrap(&wrapped, b"x").await, Err(SealError::Corrupt)), "{service}");
    }
}

// [V13 13.4.2]
#[tokio::test]
async fn trace_log_has_no_credential_or_data_key() {
    for service in ALL {
        let (log, _guard) = Log::capture();
        let server = start(service).await;
        let key = key_at(service, server.url()).await;
        let wrapped = key.wrap(&DATA_KEY, b"x").await.unwrap();
        key.unwrap(&wrapped, b"x").await.unwrap();
        key.unwrap(&wrapped, b"y").await.unwrap_err();
        for reply in
            [Reply::new(200, "x: y", b"secret plaintext"), unsealed(service, &json!("secret plaintext"))]
        {
            server.instead([reply]);
            key.unwrap(&wrapped, b"x").await.unwrap_err();
        }
        let log = log.text();
        assert!(log.contains("the log begins"), "{log}");
        let (bytes, text) = (format!("{DATA_KEY:?}"), std::str::from_utf8(&DATA_KEY).unwrap());
        let of_data_key = [&STANDARD.encode(DATA_KEY), &bytes, text, "secret plaintext"];
        for secret in [SECRET_KEY, TOKEN, "authentication failed"].into_iter().chain(of_data_key) {
            assert!(!log.contains(secret), "{service}: {log}");
        }
    }
}
