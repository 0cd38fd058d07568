//! Tests specific to AWS KMS, with a mock server that verifies signatures.

use aws_config::{BehaviorVersion, ConfigLoader};
use aws_sdk_kms::config::Credentials;
use keys::{KeyEncryptionKey, SealError};
use serde_json::json;

use super::{AwsKms, region_of};
use crate::key_service::shared_tests::{DATA_KEY, assert_unseals_only_in_its_context, message};
use crate::mock_server::{ACCESS_KEY, KmsKeys, MockServer, Reply, SECRET_KEY};
use crate::{KmsOptions, OptionsError};

const KEY: &str = "1234abcd-12ab-34cd-56ef-1234567890ab";
const ARN: &str = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";

pub(crate) async fn start() -> (MockServer, KmsKeys) {
    let keys = KmsKeys::default();
    keys.create(KEY);
    let of_server = keys.clone();
    (MockServer::start(None, move |request| of_server.answer(request)).await, keys)
}

fn signing_as(access_key: &str, secret_key: &str) -> ConfigLoader {
    let credentials = Credentials::new(access_key, secret_key, None, None, "tests");
    aws_config::defaults(BehaviorVersion::v2026_01_12()).credentials_provider(credentials)
}

pub(crate) fn options(endpoint: impl Into<String>) -> KmsOptions {
    KmsOptions {
        key_id: KEY.to_owned(),
        region: Some("eu-central-1".to_owned()),
        endpoint: Some(endpoint.into()),
    }
}

pub(crate) async fn kms(options: KmsOptions) -> AwsKms {
    AwsKms::load(options, signing_as(ACCESS_KEY, SECRET_KEY)).await.unwrap()
}

pub(crate) fn refusal(status: u16, name: &str) -> Reply {
    Reply::json(status, &json!({"__type": name, "message": "as it is"}))
}

// [parties #15]
#[tokio::test]
async fn sealed_value_unseals_only_in_its_context() {
    let (server, _) = start().await;
    let of_arn = KmsOptions { key_id: ARN.to_owned(), region: None, endpoint: Some(server.url()) };
    for options in [options(server.url()), of_arn] {
        let name = format!("aws-kms:{}", options.key_id);
        let kms = kms(options).await;
        assert_eq!(format!("{kms:?}"), format!("AwsKms({name})"));
        assert_unseals_only_in_its_context(kms, &name).await;
    }
}

#[tokio::test]
async fn damage_is_distinguished_from_missing_or_other_key() {
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
        let found = kms(options).await.unwrap(wrapped, b"x").await;
        let expected = format!("aws-kms:{key}");
        assert!(matches!(&found, Err(SealError::KeyGone { name }) if *name == expected), "{found:?}");
    }
    let unknown = kms(KmsOptions { key_id: "unknown".to_owned(), ..options(server.url()) }).await;
    assert!(matches!(unknown.wrap(&DATA_KEY, b"x").await, Err(SealError::KeyGone { .. })));
}

#[tokio::test]
async fn kms_refusal_is_quoted_and_not_retried() {
    let (server, keys) = start().await;
    for (access_key, secret_key, expected) in [
        ("AKIDOTHER", SECRET_KEY, "UnrecognizedClientException: The security token"),
        (ACCESS_KEY, "hunter2", "InvalidSignatureException: The request signature"),
    ] {
        let kms = AwsKms::load(options(server.url()), signing_as(access_key, secret_key)).await.unwrap();
        let message = message(&kms.wrap(&DATA_KEY, b"x").await.unwrap_err());
        assert!(
            message.starts_with(&format!("{} refused the request with {expected}", kms.name())),
            "{message}"
        );
        assert!(!message.contains("hunter2"));
        assert_eq!(server.request_count(), 1);
    }
    let kms = kms(options(server.url())).await;
    let wrapped = kms.wrap(&DATA_KEY, b"x").await.unwrap();
    keys.disable(KEY);
    server.request_count();
    let said = async || message(&kms.unwrap(&wrapped, b"x").await.unwrap_err());
    let refuses = format!("{} refused the request with ", kms.name());
    assert_eq!(said().await, format!("{refuses}DisabledException: the key is disabled."));
    server.instead([refusal(400, "AccessDeniedException")]);
    assert_eq!(said().await, format!("{refuses}AccessDeniedException: as it is"));
    assert_eq!(server.request_count(), 2);
}

#[tokio::test]
async fn unusable_options_are_refused() {
    for key_id in ["", "a key", "arn:aws:kms:x:y:key/é"] {
        let options = KmsOptions { key_id: key_id.to_owned(), ..options("http://127.0.0.1:1") };
        let error = AwsKms::load(options, signing_as(ACCESS_KEY, SECRET_KEY)).await.unwrap_err();
        assert!(matches!(error, OptionsError::Name { what: "aws_kms.key_id", .. }), "{key_id}");
    }
    let error = AwsKms::load(options("http://kms.example"), signing_as(ACCESS_KEY, SECRET_KEY)).await;
    assert!(matches!(error, Err(OptionsError::InClear { what: "aws_kms.endpoint" })));
}

#[test]
fn region_is_read_from_the_arn() {
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
