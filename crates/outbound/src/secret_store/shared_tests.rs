//! Tests that apply to every secret store, with mock servers. Tests for a single store are in its folder.
#![expect(clippy::unwrap_used, reason = "a helper that fails here has failed the test")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use values::{Secret, Timestamp};

use super::{SecretStore, SecretStoreError, WriteError, aws, vault};
use crate::mock_server::{
    AwsMock, KvMock, Log, MockServer, ROLE_SECRET, Reply, SECRET_KEY, SERVICE_ACCOUNT, TOKEN,
};

pub(super) const PATH: &str = "app/client";
const KEY: Option<&str> = Some("client_secret");
/// A secret that must not appear in any message or log.
const HIDDEN: &str = "hunter2-hunter2";

/// The secrets behind a mock server.
#[derive(Clone)]
enum Secrets {
    Vault(KvMock),
    Aws(AwsMock),
}

struct Stand {
    server: MockServer,
    secrets: Secrets,
    store: Arc<dyn SecretStore>,
}

impl Secrets {
    fn all() -> [Self; 2] {
        [Self::Vault(KvMock::default()), Self::Aws(AwsMock::default())]
    }

    fn put(&self, data: Value) {
        match self {
            Self::Vault(secrets) => secrets.put(PATH, data),
            Self::Aws(secrets) => secrets.put(PATH, &data.to_string()),
        }
    }

    fn current(&self) -> Option<Value> {
        match self {
            Self::Vault(secrets) => secrets.current(PATH),
            Self::Aws(secrets) => secrets.current(PATH).map(|text| serde_json::from_str(&text).unwrap()),
        }
    }

    fn delete(&self, version: usize) {
        match self {
            Self::Vault(secrets) => secrets.delete(PATH, version),
            Self::Aws(secrets) => secrets.delete(PATH),
        }
    }

    fn forbid_read(&self) {
        match self {
            Self::Vault(secrets) => secrets.forbid(&["read"]),
            Self::Aws(secrets) => secrets.forbid("GetSecretValue"),
        }
    }

    fn forbid_write(&self) {
        match self {
            Self::Vault(secrets) => secrets.forbid(&["update"]),
            Self::Aws(secrets) => secrets.forbid("PutSecretValue"),
        }
    }

    async fn start(self) -> Stand {
        let of_server = self.clone();
        let server = MockServer::start(None, move |request| match &of_server {
            Secrets::Vault(secrets) => secrets.answer(request),
            Secrets::Aws(secrets) => secrets.answer(request),
        });
        let server = server.await;
        let store = self.at(server.url()).await;
        Stand { server, secrets: self, store }
    }

    async fn at(&self, address: String) -> Arc<dyn SecretStore> {
        match self {
            Self::Vault(_) => Arc::new(vault::tests::store(vault::tests::options(address))),
            Self::Aws(_) => Arc::new(aws::tests::store(address).await),
        }
    }

    /// The service's answers when it is unavailable, and how they are reported.
    fn busy(&self) -> Vec<(Reply, &'static str)> {
        match self {
            Self::Vault(_) => {
                let busy = vault::tests::refusal(429, "request path \"x\": rate limit quota exceeded");
                let quota =
                    "429: request path \"x\": rate limit quota exceeded; try again later, or see Vault's log";
                vec![
                    (vault::tests::refusal(503, "Vault is sealed"), "503: Vault is sealed; unseal Vault"),
                    (busy, quota),
                    (
                        Reply::new(502, "x: y", b"<html>"),
                        "502: no reason; try again later, or see Vault's log",
                    ),
                ]
            }
            Self::Aws(_) => {
                let [busy, broken] = [(400, "ThrottlingException"), (500, "InternalServiceError")]
                    .map(|(status, name)| aws::tests::refusal(status, name));
                let expected = "400 ThrottlingException: as it is; try again later";
                vec![(busy, expected), (broken, "500 InternalServiceError: as it is; try again later")]
            }
        }
    }

    /// A response to a read, with this value of the secret's member.
    fn answer_with(&self, value: &Value) -> Reply {
        match self {
            Self::Vault(_) => vault::tests::answer_with(&json!({"client_secret": value})),
            Self::Aws(_) => aws::tests::answer_with(&json!({"client_secret": value}).to_string()),
        }
    }
}

impl Stand {
    async fn all() -> Vec<Self> {
        let [vault, aws] = Secrets::all();
        vec![vault.start().await, aws.start().await]
    }

    /// The prefix of messages.
    fn place(&self) -> String {
        match self.secrets {
            Secrets::Vault(_) => format!("secret store main (vault at {}): {PATH}", self.server.address),
            Secrets::Aws(_) => {
                format!("secret store main (AWS Secrets Manager at {}): {PATH}", self.server.address)
            }
        }
    }

    async fn value(&self) -> Result<String, SecretStoreError> {
        let stored = self.store.read(PATH, false).await?;
        Ok(stored.current.value(KEY)?.expose().to_owned())
    }

    async fn write(&self, value: &str) -> Result<String, WriteError> {
        self.store.write(PATH, KEY, &Secret::new(value.to_owned())).await
    }

    /// Checks that a read fails with an error of this kind.
    async fn fails(&self, kind: fn(String) -> SecretStoreError, expected: &str) -> SecretStoreError {
        let error = self.value().await.unwrap_err();
        assert_eq!(error, kind(format!("{}: {expected}", self.place())));
        error
    }
}

#[track_caller]
fn assert_no_answer(error: &SecretStoreError) {
    let is_so = matches!(error, SecretStoreError::Silent(why) if why.contains(": no response: "));
    assert!(is_so, "{error:?}");
}

#[tokio::test]
async fn secret_is_read_with_its_previous_version() {
    for stand in Stand::all().await {
        stand.secrets.put(json!({"client_secret": "one", "other": 1}));
        let stored = stand.store.read(PATH, true).await.unwrap();
        assert_eq!(stored.current.value(KEY).unwrap().expose(), "one");
        assert!(stored.previous.is_none());
        stand.secrets.put(json!({"client_secret": "two"}));
        let stored = stand.store.read(PATH, true).await.unwrap();
        let previous = stored.previous.unwrap();
        assert_eq!(stored.current.value(KEY).unwrap().expose(), "two");
        assert_eq!(previous.value(KEY).unwrap().expose(), "one");
        assert_eq!(previous.value(None).unwrap().expose(), r#"{"client_secret":"one","other":1}"#);
        let (versions, seconds) = match stand.secrets {
            Secrets::Vault(_) => (["1", "2"], 1_795_755_061),
            Secrets::Aws(_) => (
                ["a1b2c3d4-5678-90ab-cdef-EXAMPLE00000", "a1b2c3d4-5678-90ab-cdef-EXAMPLE00001"],
                1_523_477_145,
            ),
        };
        assert_eq!([&previous.version, &stored.current.version], versions);
        let created = [previous.created_at, stored.current.created_at];
        assert_eq!(created, [seconds, seconds + 1].map(Timestamp::from_seconds));
        stand.server.request_count();
        assert!(stand.store.read(PATH, false).await.unwrap().previous.is_none());
        assert_eq!(stand.server.request_count(), 1);
    }
}

#[tokio::test]
async fn write_keeps_the_other_members() {
    for stand in Stand::all().await {
        stand.secrets.put(json!({"client_secret": "one", "url": "https://x", "more": {"a": [1, null]}}));
        stand.server.request_count();
        let version = stand.write(HIDDEN).await.unwrap();
        assert_eq!(stand.server.request_count(), 2);
        let expected = json!({"client_secret": HIDDEN, "url": "https://x", "more": {"a": [1, null]}});
        assert_eq!(stand.secrets.current(), Some(expected));
        let stored = stand.store.read(PATH, true).await.unwrap();
        assert_eq!(stored.current.version, version);
        assert_eq!(stored.previous.unwrap().value(KEY).unwrap().expose(), "one");
        let debug = format!("{stored:?} {:?}", stand.store, stored = stored.current);
        assert!(!debug.contains(HIDDEN) && debug.contains("the secret store main"), "{debug}");
        // A missing member is added.
        stand.store.write(PATH, Some("next"), &Secret::new("x".to_owned())).await.unwrap();
        assert_eq!(stand.secrets.current().unwrap()["next"], "x");
    }
}

#[tokio::test]
async fn first_write_creates_the_first_version() {
    for stand in Stand::all().await {
        match &stand.secrets {
            Secrets::Vault(_) => assert_eq!(stand.write("one").await.unwrap(), "1"),
            Secrets::Aws(secrets) => {
                let written = stand.write("one").await;
                assert!(
                    matches!(written, Err(WriteError::Refused(SecretStoreError::Missing(_)))),
                    "{written:?}"
                );
                secrets.create(PATH);
                stand.write("one").await.unwrap();
            }
        }
        assert_eq!(stand.value().await.unwrap(), "one");
    }
}

#[tokio::test]
async fn unusable_secret_is_reported_without_other_member_names() {
    for stand in Stand::all().await {
        let no_member = "it has no member \"client_secret\"; add the member, or name another key";
        let no_string = "its member \"client_secret\" is not a string; store it as a string";
        let of_number = json!({"client_secret": 7, "other": HIDDEN});
        for (data, expected) in [(json!({"other": HIDDEN}), no_member), (of_number, no_string)] {
            stand.secrets.put(data);
            stand.fails(SecretStoreError::Unusable, expected).await;
            let stored = stand.store.read(PATH, false).await.unwrap();
            let unusable = stored.current.value(KEY).unwrap_err();
            assert!(!format!("{unusable:?}").contains("other"), "{unusable:?}");
        }
        let long = json!({"client_secret": "x".repeat(1 << 18)});
        stand.secrets.put(long.clone());
        let expected = "it is larger than 64 KiB; store each client secret separately";
        let error = stand.fails(SecretStoreError::Unusable, expected).await;
        assert_eq!(stand.write(HIDDEN).await, Err(WriteError::Refused(error)));
        assert_eq!(stand.secrets.current(), Some(long));
    }
}

#[tokio::test]
async fn missing_or_denied_secret_error_says_what_to_do() {
    for stand in Stand::all().await {
        let [missing, deleted, denied, no_write] = match stand.secrets {
            Secrets::Vault(_) => [
                "the mount secret has no such secret; create it",
                "its current version is deleted; undelete it or write a new version",
                "refused with 403: 1 error occurred: * permission denied; \
                 allow `read` on secret/data/app/client in its policy",
                "refused with 403: 1 error occurred: * permission denied; \
                 allow `update` on secret/data/app/client in its policy",
            ],
            Secrets::Aws(_) => [
                "refused with 400 ResourceNotFoundException: Secrets Manager can't find the specified secret; \
                 create it in this region",
                "refused with 400 InvalidRequestException: You can't perform this operation on the secret \
                 because it was marked for deletion; restore it if its current version is deleted",
                "refused with 400 AccessDeniedException: User: x is not authorized to perform: y on resource: z; allow `secretsmanager:GetSecretValue` and use of the secret's KMS key in the program's role",
                "refused with 400 AccessDeniedException: User: x is not authorized to perform: y on resource: z; allow `secretsmanager:PutSecretValue` and use of the secret's KMS key in the program's role",
            ],
        };
        stand.fails(SecretStoreError::Missing, missing).await;
        stand.secrets.put(json!({"client_secret": "one"}));
        stand.secrets.forbid_write();
        let refused = SecretStoreError::Denied(format!("{}: {no_write}", stand.place()));
        assert_eq!(WriteError::Refused(refused.clone()).to_string(), refused.to_string());
        assert_eq!(stand.write(HIDDEN).await, Err(WriteError::Refused(refused)));
        assert_eq!(stand.secrets.current(), Some(json!({"client_secret": "one"})));
        stand.secrets.delete(1);
        stand.fails(SecretStoreError::Missing, deleted).await;
        stand.secrets.forbid_read();
        stand.fails(SecretStoreError::Denied, denied).await;
    }
}

#[tokio::test]
async fn unavailable_store_fails_fast_and_recovers() {
    let check = async |stand: Stand| {
        stand.secrets.put(json!({"client_secret": "one"}));
        for (reply, expected) in stand.secrets.busy() {
            stand.server.request_count();
            stand.server.instead([reply.clone()]);
            assert_eq!(stand.value().await.unwrap(), "one");
            assert_eq!(stand.server.request_count(), 2);
            stand.server.instead([reply.clone(), reply]);
            let expected = format!("refused with {expected}");
            stand.fails(SecretStoreError::Unavailable, &expected).await;
            assert_eq!(stand.server.request_count(), 2);
        }
        stand.server.instead([Reply::raw("")]);
        assert_eq!(stand.value().await.unwrap(), "one");
        stand.server.be_away(true);
        assert_no_answer(&stand.value().await.unwrap_err());
        stand.server.be_away(false);
        assert_eq!(stand.value().await.unwrap(), "one");
        let Stand { server, store, .. } = stand;
        drop(server);
        let begun = Instant::now();
        assert_no_answer(&store.read(PATH, true).await.unwrap_err());
        let write = store.write(PATH, KEY, &Secret::new(HIDDEN.to_owned())).await;
        assert!(matches!(write, Err(WriteError::Refused(SecretStoreError::Silent(_)))), "{write:?}");
        assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    };
    let [vault, aws] = Secrets::all();
    let (vault, aws) = tokio::join!(vault.start(), aws.start());
    tokio::join!(check(vault), check(aws));
}

#[tokio::test]
async fn slow_read_is_retried_once_and_write_never() {
    let slow = || Reply::json(200, &json!({})).after(Duration::from_secs(30));
    let read = async |stand: Stand| {
        stand.server.instead([slow(), slow()]);
        let begun = Instant::now();
        assert_no_answer(&stand.value().await.unwrap_err());
        let waited = begun.elapsed().as_secs_f64();
        assert!((6.0..8.0).contains(&waited), "{waited}");
        assert_eq!(stand.server.request_count(), 2);
    };
    let write = async |stand: Stand| {
        stand.server.instead([stand.secrets.answer_with(&json!("one")), slow()]);
        let begun = Instant::now();
        let error = stand.write(HIDDEN).await.unwrap_err();
        assert!(matches!(&error, WriteError::Unknown(SecretStoreError::Silent(_))), "{error:?}");
        assert!(
            error.to_string().ends_with("; it is unclear whether the value was stored: read it"),
            "{error}"
        );
        let waited = begun.elapsed().as_secs_f64();
        assert!((3.0..5.0).contains(&waited), "{waited}");
        assert_eq!(stand.server.request_count(), 2, "a write is sent once");
    };
    let [vault, aws] = Secrets::all();
    let [to_write, aws_to_write] = Secrets::all();
    let (vault, aws) = tokio::join!(vault.start(), aws.start());
    let (to_write, aws_to_write) = tokio::join!(to_write.start(), aws_to_write.start());
    tokio::join!(read(vault), read(aws), write(to_write), write(aws_to_write));
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    for stand in Stand::all().await {
        let other = stand.secrets.clone().start().await;
        stand.secrets.put(json!({"client_secret": "one"}));
        for status in [301, 302, 307, 308] {
            let location = format!("location: {}/v1/secret/data/{PATH}", other.server.url());
            let redirect = Reply::new(status, &location, b"");
            stand.server.instead([redirect.clone()]);
            let error = stand.value().await.unwrap_err();
            assert!(matches!(&error, SecretStoreError::Unavailable(_)), "{error:?}");
            let expected = format!("redirected with {status}, and Latchkey does not follow redirects; ");
            assert!(error.to_string().contains(&expected), "{error}");
            stand.server.instead([stand.secrets.answer_with(&json!("one")), redirect]);
            let error = stand.write(HIDDEN).await.unwrap_err();
            assert!(matches!(error, WriteError::Refused(SecretStoreError::Unavailable(_))), "{error:?}");
        }
        assert_eq!((stand.server.request_count(), other.server.request_count()), (12, 0));
    }
}

// [third 19]: An answer that is too large, is not JSON or lacks a member had the same message, and an earlier
//   fault hid it | fixed | Each has its own message with store, address, path and what to do. A message
//   follows only an own request, unless the store sends no answer
#[tokio::test]
async fn each_kind_of_invalid_answer_has_its_message() {
    for stand in Stand::all().await {
        let is_vault = matches!(stand.secrets, Secrets::Vault(_));
        let (at, of_engine) = match is_vault {
            true => ("address", "check that secret is a KV engine, version 2"),
            false => ("endpoint", "check that the endpoint is AWS Secrets Manager"),
        };
        let of_json = match is_vault {
            true => "check that the address is Vault's, and check any proxy in front of it",
            false => "check the endpoint and any proxy in front of it",
        };
        let too_large = format!(
            "the response is larger than 64 KiB; check the {at}, and store each client secret by itself"
        );
        let no_json = format!("the response is not JSON; {of_json}");
        let endless = format!("HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n{}", "é".repeat(300_000));
        let (missing, wrong) = match is_vault {
            true => (
                json!({"data": {"data": {}, "metadata": {"version": 1}}}),
                json!({"data": {"data": {},
                "metadata": {"version": 1, "created_time": 7}}}),
            ),
            false => (
                json!({"VersionId": "v1", "CreatedDate": 1}),
                json!({"VersionId": "v1",
                "CreatedDate": 1, "SecretString": 7}),
            ),
        };
        let member = if is_vault { "/data/metadata/created_time" } else { "/SecretString" };
        let cases = [
            (Reply::new(200, "x: y", &[b'<'; 100_000]), too_large.clone()),
            // The rest never arrives and must not be waited for.
            (Reply::raw(endless), too_large),
            (Reply::new(200, "x: y", b"<html>hunter2-hunter2</html>"), no_json),
            (Reply::json(200, &missing), format!("the response has no member {member}; {of_engine}")),
            (
                Reply::json(200, &wrong),
                format!("the member {member} of the response is not text; {of_engine}"),
            ),
        ];
        let busy = stand.secrets.busy();
        for (reply, expected) in cases {
            stand.server.instead([reply.clone()]);
            stand.fails(SecretStoreError::Unusable, &expected).await;
            // An earlier failure of the same store does not hide later ones, and does not count as silence.
            let (fault, _) = &busy[0];
            stand.server.instead([fault.clone(), fault.clone(), reply]);
            assert!(matches!(stand.value().await, Err(SecretStoreError::Unavailable(_))));
            stand.fails(SecretStoreError::Unusable, &expected).await;
        }
        stand.server.be_away(true);
        assert!(matches!(stand.value().await, Err(SecretStoreError::Silent(_))));
    }
}

#[tokio::test]
async fn invalid_answers_are_unusable_and_never_quoted() {
    for stand in Stand::all().await {
        let long = HIDDEN.repeat(1 << 16);
        let replies = [
            Reply::new(200, "x: y", b""),
            Reply::new(200, "x: y", b"<html>hunter2-hunter2</html>"),
            Reply::new(200, "x: y", &[0xff; 100]),
            Reply::json(200, &json!({})),
            Reply::json(200, &json!([HIDDEN])),
            Reply::json(200, &json!({"data": HIDDEN, "SecretString": HIDDEN})),
            Reply::json(200, &json!({"SecretString": 7, "VersionId": 7, "CreatedDate": HIDDEN})),
            Reply::json(200, &json!({"data": long, "SecretString": long})),
        ];
        for (number, reply) in replies.into_iter().enumerate() {
            stand.server.instead([reply.clone()]);
            let error = stand.value().await.unwrap_err();
            assert!(matches!(error, SecretStoreError::Unusable(_)), "{number}: {error:?}");
            assert!(!format!("{error} {error:?}").contains(HIDDEN), "{number}: {error}");
            // The error of a write must not reveal the stored value.
            stand.server.instead([stand.secrets.answer_with(&json!("one")), reply]);
            let error = stand.write(HIDDEN).await.unwrap_err();
            assert!(matches!(error, WriteError::Unknown(_)), "{number}: {error:?}");
            assert!(!format!("{error} {error:?}").contains(HIDDEN), "{number}: {error}");
        }
        let refusals = [
            (Reply::new(400, "x: y", b"<html>hunter2-hunter2</html>"), false),
            (Reply::new(418, "x: y", b""), false),
            (Reply::new(502, "x: y", b"<html>hunter2-hunter2</html>"), true),
            (Reply::raw("SSH-2.0-OpenSSH_9.9\r\n"), true),
            (Reply::raw(""), true),
        ];
        for (number, (reply, may_be_written)) in refusals.into_iter().enumerate() {
            stand.server.instead([stand.secrets.answer_with(&json!("one")), reply]);
            match stand.write(HIDDEN).await.unwrap_err() {
                WriteError::Unknown(error) if may_be_written => {
                    let is_silent = matches!(error, SecretStoreError::Silent(_));
                    assert_eq!(is_silent, number > 2, "{number}: {error:?}");
                }
                WriteError::Refused(error) if !may_be_written => {
                    assert!(!error.to_string().contains(HIDDEN), "{number}: {error}");
                }
                outcome => panic!("{number}: {outcome:?}"),
            }
        }
    }
}

#[tokio::test]
async fn trace_log_has_no_credential_or_secret() {
    let (log, _guard) = Log::capture();
    let signed_in = vault::tests::signed_in_stores().await;
    for stand in Stand::all().await {
        stand.secrets.put(json!({"client_secret": HIDDEN, "other": "hidden-too"}));
        stand.value().await.unwrap();
        stand.write("hunter3-hunter3").await.unwrap();
        stand.server.instead([Reply::new(200, "x: y", b"<html>hunter2-hunter2</html>")]);
        stand.value().await.unwrap_err();
        stand.secrets.forbid_read();
        stand.value().await.unwrap_err();
    }
    drop(signed_in);
    let log = log.text();
    assert!(log.contains("the log begins"), "{log}");
    let credentials = [SECRET_KEY, TOKEN, ROLE_SECRET, SERVICE_ACCOUNT, "hvs.signed-in"];
    for secret in credentials.into_iter().chain([HIDDEN, "hidden-too", "hunter3-hunter3"]) {
        assert!(!log.contains(secret), "{secret}: {log}");
    }
}
