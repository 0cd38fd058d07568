//! Tests specific to AWS Secrets Manager, with a mock server that verifies signatures.

use aws_config::ConfigLoader;
use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_sdk_secretsmanager::config::Credentials;
use serde_json::json;
use values::Secret;

use super::AwsStore;
use crate::mock_server::{ACCESS_KEY, AwsMock, MockServer, Reply, SECRET_KEY};
use crate::secret_store::shared_tests::PATH;
use crate::secret_store::{AwsStoreOptions, SecretStore, SecretStoreError, WriteError};
use crate::{OptionsError, aws};

fn signing_as(access_key: &str, secret_key: &str) -> ConfigLoader {
    aws::defaults().credentials_provider(Credentials::new(access_key, secret_key, None, None, "tests"))
}

fn options(endpoint: impl Into<String>) -> AwsStoreOptions {
    AwsStoreOptions { region: Some("eu-central-1".to_owned()), endpoint: Some(endpoint.into()) }
}

pub(in crate::secret_store) async fn store(endpoint: String) -> AwsStore {
    AwsStore::load("main", options(endpoint), signing_as(ACCESS_KEY, SECRET_KEY)).await.unwrap()
}

pub(in crate::secret_store) fn refusal(status: u16, name: &str) -> Reply {
    Reply::json(status, &json!({"__type": name, "Message": "as it is"}))
}

/// A response to a read, with this text.
pub(in crate::secret_store) fn answer_with(text: &str) -> Reply {
    let answer = json!({"CreatedDate": 1_523_477_145.713, "SecretString": text, "VersionId": "v1"});
    Reply::json(200, &answer)
}

async fn start() -> (MockServer, AwsMock) {
    let secrets = AwsMock::default();
    let of_server = secrets.clone();
    (MockServer::start(None, move |request| of_server.answer(request)).await, secrets)
}

#[tokio::test]
async fn a_secret_may_be_the_whole_text() {
    let (server, secrets) = start().await;
    let store = store(server.url()).await;
    secrets.put(PATH, "one");
    let read = async || store.read(PATH, true).await.unwrap();
    assert_eq!(read().await.current.value(None).unwrap().expose(), "one");
    let error = read().await.current.value(Some("x")).unwrap_err().to_string();
    assert!(error.ends_with(": it is not a JSON object; store an object with the member \"x\""), "{error}");
    store.write(PATH, None, &Secret::new("two".to_owned())).await.unwrap();
    assert_eq!(secrets.current(PATH).as_deref(), Some("two"));
    assert_eq!(read().await.previous.unwrap().value(None).unwrap().expose(), "one");
    let written = store.write(PATH, Some("x"), &Secret::new("three".to_owned())).await;
    assert!(matches!(written, Err(WriteError::Refused(SecretStoreError::Unusable(_)))), "{written:?}");
    secrets.put(PATH, r#"{ "z": 12345678901234567890123, "x": "one", "a": 1.50 }"#);
    store.write(PATH, Some("x"), &Secret::new("\"é".to_owned())).await.unwrap();
    let expected = r#"{"a":1.50,"x":"\"é","z":12345678901234567890123}"#;
    assert_eq!(secrets.current(PATH).as_deref(), Some(expected));
}

#[tokio::test]
async fn a_binary_secret_is_unusable() {
    let (server, secrets) = start().await;
    let store = store(server.url()).await;
    secrets.put_binary(PATH, b"\xffhunter2");
    let error = store.read(PATH, false).await.unwrap_err();
    assert!(matches!(error, SecretStoreError::Unusable(_)), "{error:?}");
    assert!(error.to_string().ends_with(": the secret is binary; store it as text"), "{error}");
    secrets.put(PATH, "text");
    assert!(store.read(PATH, true).await.unwrap().previous.is_none());
}

#[tokio::test]
async fn refused_or_missing_credentials_are_reported() {
    let (server, secrets) = start().await;
    secrets.put(PATH, "one");
    for (access_key, secret_key, expected) in [
        ("AKIDOTHER", SECRET_KEY, "400 UnrecognizedClientException: The security token"),
        (ACCESS_KEY, "hunter2", "400 InvalidSignatureException: The request signature"),
    ] {
        let loader = signing_as(access_key, secret_key);
        let store = AwsStore::load("main", options(server.url()), loader).await.unwrap();
        let error = store.read(PATH, false).await.unwrap_err();
        assert!(matches!(error, SecretStoreError::Denied(_)), "{error:?}");
        assert!(error.to_string().contains(&format!(": refused with {expected}")), "{error}");
        assert!(!error.to_string().contains("hunter2"));
        assert_eq!(server.request_count(), 1);
    }
    // The environment of the tests has no credentials.
    let loader = aws::defaults().credentials_provider(EnvironmentVariableCredentialsProvider::new());
    let store = AwsStore::load("main", options(server.url()), loader).await.unwrap();
    let error = store.read(PATH, false).await.unwrap_err();
    assert!(matches!(error, SecretStoreError::Denied(_)), "{error:?}");
    assert!(error.to_string().contains(": the program has no AWS credentials: "), "{error}");
    let write = store.write(PATH, None, &Secret::new("two".to_owned())).await;
    assert!(matches!(write, Err(WriteError::Refused(SecretStoreError::Denied(_)))), "{write:?}");
    assert_eq!(server.request_count(), 0);
}

#[tokio::test]
async fn unusable_names_and_options_are_refused() {
    let (server, secrets) = start().await;
    let at_server = store(server.url()).await;
    for path in ["", "a b", "a?b", "a\nb", "é", &"a".repeat(2049)] {
        let error = at_server.read(path, false).await.unwrap_err();
        assert!(matches!(error, SecretStoreError::Missing(_)), "{path}: {error:?}");
        assert!(error.to_string().contains(" is not a valid secret name; "), "{error}");
        assert!(!error.to_string().contains('\n'), "{error}");
    }
    assert_eq!(server.request_count(), 0);
    let arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:app/client-a1b2c3";
    secrets.put(arn, "one");
    assert_eq!(at_server.read(arn, false).await.unwrap().current.value(None).unwrap().expose(), "one");
    let load = async |options| AwsStore::load("main", options, signing_as(ACCESS_KEY, SECRET_KEY)).await;
    let error = load(options("http://secrets.example")).await.unwrap_err();
    assert!(matches!(error, OptionsError::InClear { what: "endpoint" }), "{error:?}");
    let in_region = AwsStoreOptions { endpoint: None, ..options("") };
    let debug = format!("{:?}", load(in_region).await.unwrap());
    assert_eq!(debug, "AwsStore(secret store main (AWS Secrets Manager at eu-central-1))");
}
