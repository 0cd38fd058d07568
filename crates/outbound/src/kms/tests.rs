//! AWS KMS, against a mock server that speaks its protocol and verifies signatures.

use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_config::{BehaviorVersion, ConfigLoader};
use aws_sdk_kms::config::Credentials;
use base64::{Engine, engine::general_purpose::STANDARD};
use keys::{EnvelopeSealer, KeyEncryptionKey, KeySealer, SealError, SealingContext};
use serde_json::json;
use tokio::net::TcpListener;

use super::{AwsKms, region_of};
use crate::mock_server::{ACCESS_KEY, KmsKeys, Log, MockServer, Reply, SECRET_KEY};
use crate::{KmsOptions, OptionsError};

const DATA_KEY: [u8; 32] = *b"a data key has 32 bytes, like me";
const KEY: &str = "1234abcd-12ab-34cd-56ef-1234567890ab";
const ARN: &str = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";

async fn start() -> (MockServer, KmsKeys) {
    let keys = KmsKeys::default();
    keys.create(KEY);
    let of_server = keys.clone();
    (MockServer::start(None, move |request| of_server.answer(request)).await, keys)
}

fn signing_as(access_key: &str, secret_key: &str) -> ConfigLoader {
    let credentials = Credentials::new(access_key, secret_key, None, None, "tests");
    aws_config::defaults(BehaviorVersion::v2026_01_12()).credentials_provider(credentials)
}

fn options(endpoint: impl Into<String>) -> KmsOptions {
    KmsOptions {
        key_id: KEY.to_owned(),
        region: Some("eu-central-1".to_owned()),
        endpoint: Some(endpoint.into()),
    }
}

async fn kms(options: KmsOptions) -> AwsKms {
    AwsKms::load(options, signing_as(ACCESS_KEY, SECRET_KEY)).await.unwrap()
}

fn refusal(status: u16, name: &str) -> Reply {
    Reply::json(status, &json!({"__type": name, "message": "as it is"}))
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
    let (server, _) = start().await;
    for options in [
        options(server.url()),
        KmsOptions { key_id: ARN.to_owned(), region: None, endpoint: Some(server.url()) },
    ] {
        let name = format!("aws-kms:{}", options.key_id);
        let kms = kms(options).await;
        assert_eq!((kms.name(), format!("{kms:?}")), (name.as_str(), format!("AwsKms({name})")));
        let wrapped = kms.wrap(&DATA_KEY, b"acme 1").await.unwrap();
        assert_eq!(*kms.unwrap(&wrapped, b"acme 1").await.unwrap(), DATA_KEY);
        let error = kms.unwrap(&wrapped, b"other 1").await.unwrap_err();
        assert!(matches!(error, SealError::Corrupt), "{error}");
        let sealer = EnvelopeSealer::new(Arc::new(kms), Vec::new());
        let pepper = SealingContext::Named("pepper");
        let sealed = sealer.seal(&pepper, b"the pepper").await.unwrap();
        assert_eq!(EnvelopeSealer::sealed_with(&sealed).unwrap().key, name);
        assert_eq!(sealer.unseal(&pepper, &sealed).await.unwrap().as_slice(), b"the pepper");
        let elsewhere = sealer.unseal(&SealingContext::Named("salt"), &sealed).await;
        assert!(matches!(elsewhere, Err(SealError::Corrupt)));
    }
}

#[tokio::test]
async fn damage_is_distinguished_from_a_key_that_is_gone_or_another() {
    let (server, keys) = start().await;
    let kms_of_key = kms(options(server.url())).await;
    let before = kms_of_key.wrap(&DATA_KEY, b"x").await.unwrap();
    keys.rotate(KEY);
    assert_eq!(*kms_of_key.unwrap(&before, b"x").await.unwrap(), DATA_KEY);
    let last = before.len() - 1;
    let mut altered = before.clone();
    altered[last] ^= 1;
    for damaged in [&altered[..], &before[..last], b"?"] {
        assert!(matches!(kms_of_key.unwrap(damaged, b"x").await, Err(SealError::Corrupt)));
    }
    keys.create("another");
    for (key, wrapped) in [("another", &before), ("unknown", &before)] {
        let options = KmsOptions { key_id: key.to_owned(), ..options(server.url()) };
        match kms(options).await.unwrap(wrapped, b"x").await {
            Err(SealError::KeyGone { name }) => assert_eq!(name, format!("aws-kms:{key}")),
            outcome => panic!("{outcome:?}"),
        }
    }
    let unknown = kms(KmsOptions { key_id: "unknown".to_owned(), ..options(server.url()) }).await;
    assert!(matches!(unknown.wrap(&DATA_KEY, b"x").await, Err(SealError::KeyGone { .. })));
}

#[tokio::test]
async fn a_refusal_says_what_kms_said_and_is_not_repeated() {
    let (server, keys) = start().await;
    for (access_key, secret_key, expected) in [
        ("AKIDOTHER", SECRET_KEY, "UnrecognizedClientException: The security token"),
        (ACCESS_KEY, "hunter2", "InvalidSignatureException: The request signature"),
    ] {
        let kms = AwsKms::load(options(server.url()), signing_as(access_key, secret_key)).await.unwrap();
        let message = message(&kms.wrap(&DATA_KEY, b"x").await.unwrap_err());
        assert!(message.starts_with(&format!("{} refuses with {expected}", kms.name())), "{message}");
        assert!(!message.contains("hunter2"));
        assert_eq!(server.request_count(), 1);
    }
    let kms = kms(options(server.url())).await;
    let wrapped = kms.wrap(&DATA_KEY, b"x").await.unwrap();
    keys.disable(KEY);
    server.request_count();
    let error = kms.unwrap(&wrapped, b"x").await.unwrap_err();
    assert_eq!(
        message(&error),
        format!("{} refuses with DisabledException: the key is disabled.", kms.name())
    );
    server.instead([refusal(400, "AccessDeniedException")]);
    let error = kms.unwrap(&wrapped, b"x").await.unwrap_err();
    assert_eq!(message(&error), format!("{} refuses with AccessDeniedException: as it is", kms.name()));
    assert_eq!(server.request_count(), 2);
}

#[tokio::test]
async fn a_kms_that_is_down_fails_at_once_and_one_that_comes_back_serves() {
    let (server, _) = start().await;
    let kms = kms(options(server.url())).await;
    server.instead([refusal(400, "ThrottlingException")]);
    let wrapped = kms.wrap(&DATA_KEY, b"x").await.unwrap();
    server.instead([refusal(500, "KMSInternalException")]);
    assert_eq!(*kms.unwrap(&wrapped, b"x").await.unwrap(), DATA_KEY);
    server.instead([Reply::raw("")]);
    assert_eq!(*kms.unwrap(&wrapped, b"x").await.unwrap(), DATA_KEY);
    server.request_count();
    server.instead(vec![refusal(500, "KMSInternalException"); 2]);
    let error = kms.unwrap(&wrapped, b"x").await.unwrap_err();
    assert_eq!(message(&error), format!("{} refuses with KMSInternalException: as it is", kms.name()));
    assert_eq!(server.request_count(), 2);
    drop(server);
    let begun = Instant::now();
    let error = kms.unwrap(&wrapped, b"x").await.unwrap_err();
    assert!(message(&error).contains(" does not answer: "), "{}", message(&error));
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_slow_kms_is_waited_for_three_seconds_and_once_more() {
    let (server, _) = start().await;
    let kms = kms(options(server.url())).await;
    server.instead(vec![Reply::json(200, &json!({})).after(Duration::from_secs(30)); 2]);
    let begun = Instant::now();
    let error = kms.wrap(&DATA_KEY, b"x").await.unwrap_err();
    assert!(message(&error).contains(" does not answer: "), "{}", message(&error));
    let waited = begun.elapsed().as_secs_f64();
    assert!((6.0..8.0).contains(&waited), "{waited}");
    assert_eq!(server.request_count(), 2);
}

#[tokio::test]
async fn a_connection_that_is_never_established_is_waited_for_one_second() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let kms = kms(options(format!("https://{}", listener.local_addr().unwrap()))).await;
    let begun = Instant::now();
    let error = kms.wrap(&DATA_KEY, b"x").await.unwrap_err();
    assert!(message(&error).contains(" does not answer: "), "{}", message(&error));
    let waited = begun.elapsed().as_secs_f64();
    assert!((2.0..4.0).contains(&waited), "{waited}");
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let (server, _) = start().await;
    let (other, _) = start().await;
    let kms = kms(options(server.url())).await;
    for status in [301, 302, 307, 308] {
        server.instead([Reply::of(status, &format!("location: {}/", other.url()), b"")]);
        let error = kms.wrap(&DATA_KEY, b"x").await.unwrap_err();
        assert!(matches!(error, SealError::Unavailable(_)), "{error:?}");
    }
    assert_eq!((server.request_count(), other.request_count()), (4, 0));
}

#[tokio::test]
async fn nonsense_is_an_unavailable_kms_and_never_damage() {
    let (server, _) = start().await;
    let kms = kms(options(server.url())).await;
    let wrapped = kms.wrap(&DATA_KEY, b"x").await.unwrap();
    let replies = [
        Reply::raw("SSH-2.0-OpenSSH_9.9\r\n"),
        Reply::of(200, "x: y", b""),
        Reply::of(200, "x: y", b"<html>secret plaintext</html>"),
        Reply::of(200, "x: y", &[0xff; 100]),
        Reply::of(400, "x: y", b"<html>secret plaintext</html>"),
        Reply::json(200, &json!({})),
        Reply::json(200, &json!({"Plaintext": "secret plaintext", "CiphertextBlob": "secret plaintext"})),
        Reply::json(200, &json!({"Plaintext": 7, "CiphertextBlob": 7})),
        Reply::json(400, &json!({})),
        refusal(400, "SomethingNewException"),
    ];
    for (number, reply) in replies.into_iter().enumerate() {
        server.instead([reply.clone(), reply.clone()]);
        let unwrapping = kms.unwrap(&wrapped, b"x").await.unwrap_err();
        server.forget();
        server.instead([reply.clone(), reply]);
        let wrapping = kms.wrap(&DATA_KEY, b"x").await.unwrap_err();
        server.forget();
        for error in [unwrapping, wrapping] {
            assert!(matches!(error, SealError::Unavailable(_)), "{number}: {error:?}");
            assert!(!format!("{error:?} {}", message(&error)).contains("secret plaintext"), "{number}");
        }
    }
    server.instead([Reply::json(200, &json!({"Plaintext": "AAAA"}))]);
    assert!(matches!(kms.unwrap(&wrapped, b"x").await, Err(SealError::Corrupt)));
}

#[tokio::test]
async fn options_that_cannot_be_used_are_refused() {
    for key_id in ["", "a key", "arn:aws:kms:x:y:key/é"] {
        let options = KmsOptions { key_id: key_id.to_owned(), ..options("http://127.0.0.1:1") };
        let error = AwsKms::load(options, signing_as(ACCESS_KEY, SECRET_KEY)).await.unwrap_err();
        assert!(matches!(error, OptionsError::Name { what: "aws_kms.key_id", .. }), "{key_id}");
    }
    let error = AwsKms::load(options("http://kms.example"), signing_as(ACCESS_KEY, SECRET_KEY)).await;
    assert!(matches!(error, Err(OptionsError::InClear { what: "aws_kms.endpoint" })));
}

#[test]
fn an_arn_names_its_region() {
    for (key_id, region) in [
        (ARN, Some("eu-central-1")),
        ("arn:aws-us-gov:kms:us-gov-west-1:1:alias/x", Some("us-gov-west-1")),
        (KEY, None),
        ("alias/x", None),
        ("arn:aws:kms::1:key/x", None),
        ("arn:aws:s3:eu-central-1:1:key/x", None),
    ] {
        assert_eq!(region_of(key_id).as_deref(), region, "{key_id}");
    }
}

#[tokio::test]
async fn the_most_talkative_log_holds_no_credential_and_no_data_key() {
    let (log, _guard) = Log::capture();
    let (server, _) = start().await;
    let kms = kms(options(server.url())).await;
    let wrapped = kms.wrap(&DATA_KEY, b"x").await.unwrap();
    kms.unwrap(&wrapped, b"x").await.unwrap();
    kms.unwrap(&wrapped, b"y").await.unwrap_err();
    server.instead([Reply::json(200, &json!({"Plaintext": "secret plaintext"}))]);
    kms.unwrap(&wrapped, b"x").await.unwrap_err();
    let log = log.text();
    assert!(log.contains("the log begins"), "{log}");
    let bytes = format!("{DATA_KEY:?}");
    let text = std::str::from_utf8(&DATA_KEY).unwrap();
    for secret in [SECRET_KEY, &STANDARD.encode(DATA_KEY), &bytes, text, "secret plaintext"] {
        assert!(!log.contains(secret), "{log}");
    }
}
