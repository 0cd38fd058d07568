//! Tests specific to Vault's KV engine, with a mock server.

use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};
use values::Secret;
use zeroize::Zeroizing;

use super::VaultStore;
use crate::mock_server::{KvMock, MockServer, ROLE, ROLE_SECRET, Reply, SERVICE_ACCOUNT, TOKEN};
use crate::secret_store::shared_tests::PATH;
use crate::secret_store::{SecretStore, SecretStoreError, WriteError};
use crate::vault::tests::{token, token_in};
use crate::{OptionsError, VaultSignIn, VaultStoreOptions, VaultToken};

pub(in crate::secret_store) fn options(address: impl Into<String>) -> VaultStoreOptions {
    signing_in(address, VaultSignIn::Token(token(TOKEN)))
}

fn signing_in(address: impl Into<String>, sign_in: VaultSignIn) -> VaultStoreOptions {
    let (address, mount) = (address.into(), "secret".to_owned());
    VaultStoreOptions { address, mount, namespace: None, ca: None, sign_in }
}

pub(in crate::secret_store) fn store(options: VaultStoreOptions) -> VaultStore {
    VaultStore::new("main", options).unwrap()
}

pub(in crate::secret_store) fn refusal(status: u16, said: &str) -> Reply {
    Reply::json(status, &json!({"errors": [said]}))
}

/// A response to a read, with this data.
pub(in crate::secret_store) fn answer_with(data: &Value) -> Reply {
    let metadata = json!({"created_time": "2026-11-27T04:51:01.753767294Z", "custom_metadata": null,
        "deletion_time": "", "destroyed": false, "version": 1});
    let whole = json!({"request_id": "", "lease_id": "", "renewable": false, "lease_duration": 0,
        "data": {"data": data, "metadata": metadata}});
    Reply::json(200, &whole)
}

fn app_role(secret_id: VaultToken) -> VaultSignIn {
    VaultSignIn::AppRole { mount: "approle".to_owned(), role_id: ROLE.to_owned(), secret_id }
}

fn kubernetes(file: &Path) -> VaultSignIn {
    let (mount, role) = ("kubernetes".to_owned(), ROLE.to_owned());
    VaultSignIn::Kubernetes { mount, role, token: (file.to_owned(), read_file) }
}

fn read_file(path: &Path) -> std::io::Result<Zeroizing<Vec<u8>>> {
    std::fs::read(path).map(Zeroizing::new)
}

/// A temporary folder with a file that contains this text.
fn file_with(text: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("credential");
    std::fs::write(&file, text).unwrap();
    (folder, file)
}

/// A store at this server that signs in as the AppRole.
fn of_role(server: &MockServer) -> VaultStore {
    store(signing_in(server.url(), app_role(token(ROLE_SECRET))))
}

#[track_caller]
fn assert_ends(error: &impl ToString, expected: &str) {
    assert!(error.to_string().ends_with(expected), "{}", error.to_string());
}

/// Writes the member `x`.
async fn write_to(store: &VaultStore, path: &str) -> Result<String, WriteError> {
    store.write(path, Some("x"), &Secret::new("y".to_owned())).await
}

async fn start() -> (MockServer, KvMock) {
    let secrets = KvMock::default();
    secrets.put(PATH, json!({"client_secret": "one"}));
    let of_server = secrets.clone();
    (MockServer::start(None, move |request| of_server.answer(request)).await, secrets)
}

async fn value(store: &VaultStore) -> Result<String, SecretStoreError> {
    let stored = store.read(PATH, false).await?;
    Ok(stored.current.value(Some("client_secret"))?.expose().to_owned())
}

async fn eight(store: &VaultStore) -> [Result<String, SecretStoreError>; 8] {
    let four = || async { tokio::join!(value(store), value(store), value(store), value(store)) };
    let ((a, b, c, d), (e, f, g, h)) = tokio::join!(four(), four());
    [a, b, c, d, e, f, g, h]
}

/// Stores that have signed in with either method and have read a secret.
pub(in crate::secret_store) async fn signed_in_stores() -> Vec<VaultStore> {
    let (server, _) = start().await;
    let (_folder, file) = file_with(SERVICE_ACCOUNT);
    let mut stores = Vec::new();
    for sign_in in [app_role(token(ROLE_SECRET)), kubernetes(&file)] {
        let store = store(signing_in(server.url(), sign_in));
        assert_eq!(value(&store).await.unwrap(), "one");
        stores.push(store);
    }
    stores
}

#[tokio::test]
async fn concurrent_requests_share_one_sign_in() {
    let (server, secrets) = start().await;
    let (_folder, file) = file_with(&format!("{SERVICE_ACCOUNT}\n"));
    for sign_in in [app_role(token(ROLE_SECRET)), kubernetes(&file)] {
        let store = store(signing_in(server.url(), sign_in));
        assert_eq!(server.request_count(), 0, "opening a store sends nothing");
        for outcome in eight(&store).await {
            assert_eq!(outcome.unwrap(), "one");
        }
        assert_eq!((server.request_count(), secrets.sign_ins_and_renewals()), (9, (1, 0)));
        // The store's token has expired.
        secrets.take_only("hvs.none");
        for outcome in eight(&store).await {
            assert_eq!(outcome.unwrap(), "one");
        }
        assert_eq!(secrets.sign_ins_and_renewals(), (1, 0));
        server.request_count();
    }
}

/// Each token that Vault issues stays in Vault until it expires, so there must be few.
#[tokio::test]
async fn denied_read_requests_only_one_other_token() {
    let (server, secrets) = start().await;
    let store = of_role(&server);
    secrets.forbid(&["read"]);
    for expected in [(2, 0), (0, 0), (0, 0)] {
        let error = value(&store).await.unwrap_err();
        assert!(error.to_string().contains("allow `read` on"), "{error}");
        assert_eq!(secrets.sign_ins_and_renewals(), expected);
    }
}

// [third 19]
#[tokio::test]
async fn revoked_token_is_replaced_during_the_pause() {
    let (server, secrets) = start().await;
    let store = of_role(&server);
    secrets.put(PATH, json!({"client_secret": "one"}));
    secrets.forbid(&["read"]);
    value(&store).await.unwrap_err();
    assert_eq!(secrets.sign_ins_and_renewals(), (2, 0));
    // An operator corrects the policy and revokes the tokens.
    secrets.forbid(&[]);
    secrets.take_only("another");
    assert_eq!(value(&store).await.unwrap(), "one");
    assert_eq!(secrets.sign_ins_and_renewals(), (1, 0));
}

#[tokio::test]
async fn waiting_requests_share_a_failed_sign_in() {
    let (server, secrets) = start().await;
    let store = store(signing_in(server.url(), app_role(token("wrong"))));
    for outcome in eight(&store).await {
        let error = outcome.unwrap_err();
        assert!(matches!(error, SecretStoreError::Denied(_)), "{error:?}");
        let why =
            "Vault refused the sign-in with 400: invalid role or secret ID; check how the store signs in";
        assert_ends(&error, &format!(": {why}"));
    }
    assert_eq!((server.request_count(), secrets.sign_ins_and_renewals()), (1, (0, 0)));
    // The next read tries again.
    value(&store).await.unwrap_err();
    assert_eq!(server.request_count(), 1);
    for reply in [refusal(503, "Vault is sealed"), Reply::new(307, "location: http://127.0.0.1:1", b"")] {
        server.instead([reply.clone(), reply]);
        let error = value(&store).await.unwrap_err();
        assert!(matches!(error, SecretStoreError::Unavailable(_)), "{error:?}");
        server.forget();
    }
    for reply in [json!({}), json!({"auth": {}}), json!({"auth": {"client_token": "hunter2"}})] {
        server.instead([Reply::json(200, &reply)]);
        let error = value(&store).await.unwrap_err();
        assert_ends(&error, ": Vault's response to the sign-in has no token; see Vault's log");
    }
    let write = write_to(&store, PATH).await;
    assert!(matches!(write, Err(WriteError::Refused(SecretStoreError::Denied(_)))), "{write:?}");
}

#[tokio::test]
async fn token_is_renewed_or_replaced_before_it_expires() {
    let (server, secrets) = start().await;
    let reads = async |lease_seconds, is_renewable, expected| {
        secrets.give(lease_seconds, is_renewable);
        let store = of_role(&server);
        value(&store).await.unwrap();
        value(&store).await.unwrap();
        tokio::time::sleep(Duration::from_millis(700)).await;
        value(&store).await.unwrap();
        value(&store).await.unwrap();
        assert_eq!(secrets.sign_ins_and_renewals(), expected, "{lease_seconds} {is_renewable}");
        store
    };
    reads(1, false, (2, 0)).await;
    let store = reads(1, true, (1, 1)).await;
    // A refused renewal is followed by a sign-in.
    tokio::time::sleep(Duration::from_millis(700)).await;
    server.instead([refusal(403, "permission denied")]);
    value(&store).await.unwrap();
    assert_eq!(secrets.sign_ins_and_renewals(), (1, 0));
    // 0 means a token that does not expire.
    secrets.give(0, true);
    let store = of_role(&server);
    value(&store).await.unwrap();
    value(&store).await.unwrap();
    assert_eq!(secrets.sign_ins_and_renewals(), (1, 0));
}

#[tokio::test]
async fn credentials_in_files_are_read_at_each_sign_in() {
    let (server, secrets) = start().await;
    for (text, wrong) in [(ROLE_SECRET, "400"), (SERVICE_ACCOUNT, "403")] {
        let (_folder, file) = file_with("an-old-one");
        let sign_in = if text == ROLE_SECRET { app_role(token_in(&file)) } else { kubernetes(&file) };
        let store = store(signing_in(server.url(), sign_in));
        let error = value(&store).await.unwrap_err();
        assert!(matches!(error, SecretStoreError::Denied(_)), "{error:?}");
        assert!(
            error.to_string().contains(&format!(": Vault refused the sign-in with {wrong}: ")),
            "{error}"
        );
        std::fs::remove_file(&file).unwrap();
        let error = value(&store).await.unwrap_err();
        assert!(matches!(error, SecretStoreError::Denied(_)), "{error:?}");
        let why = format!(": cannot read the token file {}: No such file", file.display());
        assert!(error.to_string().contains(&why), "{error}");
        std::fs::write(&file, text).unwrap();
        assert_eq!(value(&store).await.unwrap(), "one");
        assert_eq!(secrets.sign_ins_and_renewals(), (1, 0));
    }
    // A token file is read again after Vault has refused the token.
    let (_folder, file) = file_with(TOKEN);
    let store = store(signing_in(server.url(), VaultSignIn::Token(token_in(&file))));
    assert_eq!(value(&store).await.unwrap(), "one");
    secrets.take_only("hvs.next");
    let error = value(&store).await.unwrap_err();
    assert_ends(&error, &format!("; {} still contains the token that Vault refused", file.display()));
    std::fs::write(&file, "hvs.next").unwrap();
    assert_eq!(value(&store).await.unwrap(), "one");
    assert_eq!(secrets.sign_ins_and_renewals(), (0, 0));
}

#[tokio::test]
async fn every_request_names_the_namespace() {
    let (server, secrets) = start().await;
    let options = signing_in(server.url(), app_role(token(ROLE_SECRET)));
    let store = store(VaultStoreOptions { namespace: Some("eu/prod".to_owned()), ..options });
    secrets.give(1, true);
    value(&store).await.unwrap();
    tokio::time::sleep(Duration::from_millis(700)).await;
    write_to(&store, PATH).await.unwrap();
    assert_eq!(secrets.sign_ins_and_renewals(), (1, 1));
    assert_eq!(secrets.namespaces(), HashSet::from([Some("eu/prod".to_owned())]));
}

#[tokio::test]
async fn deleted_previous_version_is_left_out() {
    let (server, secrets) = start().await;
    let store = store(options(server.url()));
    for number in 2..=5 {
        secrets.put(PATH, json!({"client_secret": number.to_string()}));
    }
    let previous = async || store.read(PATH, true).await.unwrap().previous.map(|previous| previous.version);
    assert_eq!(previous().await.as_deref(), Some("4"));
    secrets.delete(PATH, 4);
    assert_eq!(previous().await, None);
    secrets.destroy(PATH, 4);
    assert_eq!(previous().await, None);
    for status in [403, 404] {
        server.instead([answer_of_version(5), refusal(status, ""), refusal(status, "")]);
        assert_eq!(previous().await, None);
        server.forget();
    }
    secrets.destroy(PATH, 5);
    let error = store.read(PATH, true).await.unwrap_err();
    assert!(error.to_string().contains(": its current version is destroyed; "), "{error}");
}

fn answer_of_version(version: u64) -> Reply {
    let metadata = json!({"created_time": "2026-11-27T04:51:01Z", "version": version});
    let data = json!({"data": {"client_secret": "one"}, "metadata": metadata});
    let whole =
        json!({"request_id": "", "lease_id": "", "renewable": false, "lease_duration": 0, "data": data});
    Reply::json(200, &whole)
}

#[tokio::test]
async fn write_after_a_concurrent_write_is_refused() {
    let (server, secrets) = start().await;
    let store = store(options(server.url()));
    let write =
        async |value: &str| store.write(PATH, Some("client_secret"), &Secret::new(value.to_owned())).await;
    secrets.put(PATH, json!({"client_secret": "two"}));
    // The response has version 1, as if the other write had come after it.
    server.instead([answer_of_version(1)]);
    let error = write("three").await.unwrap_err();
    assert!(matches!(error, WriteError::Refused(SecretStoreError::Unavailable(_))), "{error:?}");
    assert_ends(&error, "; another write changed it in the meantime: write again");
    assert_eq!(secrets.current(PATH), Some(json!({"client_secret": "two"})));
    // The write replaces a deleted version, whose members cannot be read.
    secrets.delete(PATH, 2);
    assert_eq!(write("three").await.unwrap(), "3");
    assert_eq!(secrets.current(PATH), Some(json!({"client_secret": "three"})));
    // The policy decides whether a new path may be created.
    secrets.forbid(&["create"]);
    let error = write_to(&store, "app/new").await.unwrap_err();
    assert_ends(&error, "; allow `create` on secret/data/app/new in its policy");
    let error = store.write(PATH, None, &Secret::new("y".to_owned())).await.unwrap_err();
    assert_ends(&error, ": a Vault secret is an object with members; name the key of one member");
}

#[tokio::test]
async fn ambiguous_paths_are_not_sent() {
    let (server, secrets) = start().await;
    let store = store(options(server.url()));
    for path in [
        "", "/", "/a", "a/", "a//b", ".", "..", "a/../b", "a/./b", "a?b", "a#b", "a%2fb", "a b", "a\nb", "é",
        "a\\b",
    ] {
        let error = store.read(path, true).await.unwrap_err();
        assert!(matches!(error, SecretStoreError::Missing(_)), "{path}: {error:?}");
        assert!(error.to_string().contains(" is not a valid secret path; "), "{error}");
        assert!(!error.to_string().contains('\n'), "{error}");
        let error = write_to(&store, path).await.unwrap_err();
        assert!(matches!(error, WriteError::Refused(SecretStoreError::Missing(_))), "{path}: {error:?}");
    }
    assert_eq!(server.request_count(), 0);
    for path in ["a", "a/b-c_d.e", "a@b:c", "~/!$&'()*+,;=", ".../..a"] {
        secrets.put(path, json!({"client_secret": path}));
        let found = store.read(path, false).await.expect(path);
        assert_eq!(found.current.value(Some("client_secret")).unwrap().expose(), path);
    }
    let elsewhere = VaultStoreOptions { mount: "kv/other".to_owned(), ..options(server.url()) };
    let error = super::tests::store(elsewhere).read(PATH, false).await.unwrap_err();
    assert!(matches!(error, SecretStoreError::Missing(_)), "{error:?}");
    assert_ends(&error, "route entry not found.; check the mount kv/other");
}

#[test]
fn unusable_options_are_refused_without_showing_secrets() {
    let at = || options("https://vault.example:8200");
    let refused = |options| VaultStore::new("main", options).unwrap_err();
    assert!(matches!(refused(options("http://vault.example")), OptionsError::InClear { what: "address" }));
    for mount in ["", "/secret", "secret/", "a/../b"] {
        let error = refused(VaultStoreOptions { mount: mount.to_owned(), ..at() });
        assert!(matches!(error, OptionsError::Name { what: "mount", .. }), "{mount}");
        let error = refused(VaultStoreOptions { namespace: Some(mount.to_owned()), ..at() });
        assert!(matches!(error, OptionsError::Name { what: "namespace", .. }), "{mount}");
        let (mount_of_role, role_id, secret_id) = (mount.to_owned(), ROLE.to_owned(), token(ROLE_SECRET));
        let sign_in = VaultSignIn::AppRole { mount: mount_of_role, role_id, secret_id };
        assert!(!format!("{sign_in:?}").contains(ROLE_SECRET));
        let error = refused(VaultStoreOptions { sign_in, ..at() });
        assert!(matches!(error, OptionsError::Name { what: "the sign-in's mount", .. }), "{mount}");
    }
    for sign_in in [VaultSignIn::Token(token("hunter2\n")), app_role(token("hunter2\n"))] {
        let error = refused(VaultStoreOptions { sign_in, ..at() });
        assert!(matches!(error, OptionsError::Token));
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }
    let nowhere = Path::new("/nowhere/token");
    for sign_in in [app_role(token_in(nowhere)), kubernetes(nowhere), VaultSignIn::Token(token_in(nowhere))] {
        let error = refused(VaultStoreOptions { sign_in, ..at() });
        assert!(matches!(error, OptionsError::TokenFile(..)), "{error:?}");
    }
    let error = refused(VaultStoreOptions { ca: Some(b"x".to_vec()), ..at() });
    assert!(matches!(error, OptionsError::NoCertificate), "{error:?}");
    let debug = format!("{:?}", store(at()));
    assert_eq!(debug, "VaultStore(secret store main (Vault at vault.example:8200))");
}

/// The members of the responses in Vault's documentation: a read of KV version 2, and the sign-in by each
/// method.
const DOCUMENTED_READ: &str = r#"{"data": {"data": {"client_secret": ""}, "metadata": {"created_time": "",
    "custom_metadata": {}, "deletion_time": "", "destroyed": false, "version": 2}}}"#;
const DOCUMENTED_APP_ROLE: &str = r#"{"auth": {"renewable": true, "lease_duration": 1200, "metadata": null,
    "token_policies": [], "accessor": "", "client_token": ""}, "warnings": null, "wrap_info": null,
    "data": null, "lease_duration": 0, "renewable": false, "lease_id": ""}"#;
const DOCUMENTED_KUBERNETES: &str = r#"{"auth": {"client_token": "", "accessor": "", "policies": [], "metadata":
    {"role": "", "service_account_name": "", "service_account_namespace": "",
    "service_account_secret_name": "", "service_account_uid": ""}, "lease_duration": 2764800, "renewable": true}}"#;

/// The responses of OpenBao 2.7.2 on 2026-11-27: to a read, to a read of a deleted version, and to a sign-in.
const RECORDED_READ: &str = r#"{"request_id":"c2268bde-2e83-12f4-770e-d5a61f7557a9","lease_id":"",
    "renewable":false,"lease_duration":0,"data":{"data":{"client_secret":"two"},"metadata":{
    "created_time":"2026-11-27T04:51:21.753767294Z","custom_metadata":null,"deletion_time":"",
    "destroyed":false,"version":2}},"wrap_info":null,"warnings":null,"auth":null}"#;
const RECORDED_DELETED: &str = r#"{"request_id":"17bf2bfa-6505-47ee-2707-3b15a20aec00","lease_id":"",
    "renewable":false,"lease_duration":0,"data":{"data":null,"metadata":{
    "created_time":"2026-11-27T04:51:21.753767294Z","custom_metadata":null,
    "deletion_time":"2026-11-27T04:51:21.994314216Z","destroyed":false,"version":2}},"wrap_info":null,
    "warnings":null,"auth":null}"#;
const RECORDED_APP_ROLE: &str = r#"{"request_id":"2e421df8-cf35-2740-14b0-1530b7373ac3","lease_id":"",
    "renewable":false,"lease_duration":0,"data":null,"wrap_info":null,"warnings":null,"auth":{
    "client_token":"s.example","accessor":"H7IvcvKV1egzPfb8gCAh6FN1","policies":["app","default"],
    "token_policies":["app","default"],"metadata":{"role_name":"latchkey"},"lease_duration":4,
    "renewable":true,"entity_id":"fd089727-cf21-4449-f982-5e2a6592172b","token_type":"service","orphan":true,
    "mfa_requirement":null,"num_uses":0}}"#;

/// The paths of all members of an object.
fn members(value: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (name, value) in value.as_object().into_iter().flatten() {
        found.insert(name.clone());
        found.extend(members(value).into_iter().map(|inner| format!("{name}.{inner}")));
    }
    found
}

#[tokio::test]
async fn mock_answers_match_documentation_and_openbao() {
    let (server, secrets) = start().await;
    secrets.put(PATH, json!({"client_secret": "two"}));
    let http = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().unwrap();
    let answer = async |path: &str, body: Option<Value>| {
        let url = format!("{}/v1/{path}", server.url());
        let request = match body {
            Some(body) => http.post(url).body(body.to_string()),
            None => http.get(url).header("x-vault-token", TOKEN),
        };
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        (status, members(&serde_json::from_str(&answer.text().await.unwrap()).unwrap()))
    };
    let of = |text: &str| members(&serde_json::from_str(text).unwrap());
    let read = "secret/data/app/client";
    let (status, found) = answer(read, None).await;
    assert_eq!((status, &found), (200, &of(RECORDED_READ)));
    assert!(found.is_superset(&of(DOCUMENTED_READ)));
    secrets.delete(PATH, 2);
    assert_eq!(answer(read, None).await, (404, of(RECORDED_DELETED)));
    let credentials = json!({"role_id": ROLE, "secret_id": ROLE_SECRET});
    let (status, found) = answer("auth/approle/login", Some(credentials)).await;
    assert_eq!((status, &found), (200, &of(RECORDED_APP_ROLE)));
    assert!(found.is_superset(&of(DOCUMENTED_APP_ROLE)));
    let credentials = json!({"role": ROLE, "jwt": SERVICE_ACCOUNT});
    let (status, found) = answer("auth/kubernetes/login", Some(credentials)).await;
    assert_eq!(status, 200);
    assert!(found.is_superset(&of(DOCUMENTED_KUBERNETES)));
}

#[tokio::test]
async fn recorded_openbao_answers_are_read() {
    let (server, _) = start().await;
    let store = of_role(&server);
    let recorded = |status, text: &str| Reply::new(status, "content-type: application/json", text.as_bytes());
    server.instead([recorded(200, RECORDED_APP_ROLE), recorded(200, RECORDED_READ)]);
    assert_eq!(value(&store).await.unwrap(), "two");
    server.instead([recorded(404, RECORDED_DELETED)]);
    let error = value(&store).await.unwrap_err();
    assert!(error.to_string().contains(": its current version is deleted; "), "{error}");
}
