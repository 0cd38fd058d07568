//! Tests `latchkey dev`: its printed commands work, it applies a change of its settings, and it leaves no
//! file behind.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use reqwest::Client;
use reqwest::header::ACCEPT;
use serde_json::Value;
use testkit::free_port;

use crate::foreign::{Killed, bash};
use crate::host::{self, LONGEST, run};
use crate::quick_start::token_of;
use crate::reload::eventually;
use crate::running::{credentials, tenant_path};

const SECRET: &str = "a-canary-of-dev-7c1";
const OTHER: &str = "  other:\n    strategies: { oauth2: { enabled: true } }\n    clients: { service: { client_secret: { value: a-canary-of-dev-7c1 }, audiences: [a] } }\n";

/// A running `latchkey dev`, whose temporary folder is in the folder of the test.
struct Development {
    child: Killed,
    folder: tempfile::TempDir,
    url: String,
}

impl Development {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let address = format!("127.0.0.1:{}", free_port());
        let mut command = dev(&["--listen", &address]);
        command.env("TMPDIR", folder.path()).stdout(Stdio::null());
        command.stderr(File::create(folder.path().join("printed")).unwrap());
        Self { child: Killed(command.spawn().unwrap()), folder, url: format!("http://{address}") }
    }

    /// Everything that it has printed when it is ready.
    async fn printed(&self) -> String {
        for _ in 0..400 {
            let printed = fs::read_to_string(self.folder.path().join("printed")).unwrap();
            if printed.contains("config.yaml console\n") {
                return printed;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("nothing is printed");
    }

    async fn token_status(&self, tenant: &str, secret: &str) -> u16 {
        let form = credentials("service", secret);
        let url = format!("{}{}", self.url, tenant_path(tenant, "/oauth/token"));
        Client::new().post(url).form(&form).send().await.unwrap().status().as_u16()
    }

    async fn page(&self, path: &str) -> (u16, String) {
        let request = Client::new().get(format!("{}{path}", self.url)).header(ACCEPT, "text/html,*/*;q=0.8");
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }
}

impl Development {
    async fn assert_shows_mail(&self, config: &Path) {
        let cli = |arguments: &[&str]| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_latchkey"));
            run(command.arg("--config").arg(config).args(arguments).env_clear()).output()
        };
        let added = cli(&["account", "add", "dev", "--email", "bob@example.com", "--json"]);
        let added: Value = serde_json::from_str(&added).unwrap();
        cli(&["account", "invite", "dev", added["account_id"].as_str().unwrap()]);
        eventually("the message is shown", async || {
            self.page("/dev/mail").await.1.contains("bob@example.com")
        })
        .await;
        let (_, page) = self.page("/dev/mail").await;
        assert!(page.contains("/account/set-password#"), "{page}");
        let path = page.split("href=\"/dev/mail/").nth(1).unwrap().split('"').next().unwrap();
        let html = Client::new().get(format!("{}/dev/mail/{path}", self.url)).send().await.unwrap();
        let policy = html.headers()["content-security-policy"].to_str().unwrap().to_owned();
        assert_eq!(policy, "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:");
        assert!(html.text().await.unwrap().starts_with("<!doctype html>"));
        let elsewhere = Client::new().get(format!("{}/dev/mail", self.url)).header("host", "rebound.example");
        assert_eq!(elsewhere.send().await.unwrap().status().as_u16(), 421);
        assert_eq!(self.page("/dev/mail/0123").await.0, 404);
    }
}

fn dev(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_latchkey"));
    command.arg("dev").args(arguments).env_clear();
    command
}

// [third 12]
#[tokio::test]
async fn printed_commands_work_and_saved_changes_are_applied() {
    let mut development = Development::start();
    let printed = development.printed().await;
    let made = fs::read_dir(development.folder.path()).unwrap().map(|entry| entry.unwrap());
    let made = made.filter(|entry| entry.file_type().unwrap().is_dir());
    let modes: Vec<_> = made.map(|entry| entry.metadata().unwrap().permissions().mode() & 0o777).collect();
    assert_eq!(modes, [0o700], "the folder of the settings and the store");
    let line = |begins: &str| {
        let mut lines = printed.lines().filter(|line| line.starts_with(begins));
        lines.next().unwrap_or_else(|| panic!("{begins} in {printed}"))
    };
    let token = token_of(&bash(line("curl -sS 'http"), &[]).output());
    let resource = bash(line("curl -sS http"), &[("TOKEN", &token)]).output();
    assert!(resource.contains("Protected resource data"), "{resource}");

    let config = PathBuf::from(line("settings ").split_whitespace().nth(1).unwrap());
    fs::write(&config, fs::read_to_string(&config).unwrap() + OTHER).unwrap();
    let is_applied = async || development.token_status("other", SECRET).await == 200;
    eventually("the change is applied", is_applied).await;
    assert_eq!(development.token_status("dev", SECRET).await, 401);

    let (status, front) = development.page("/").await;
    assert!(status == 200 && front.contains("Latchkey is running") && front.contains("/console"), "{front}");
    let (status, nothing) = development.page("/nothing").await;
    assert!(status == 404 && nothing.starts_with("<!doctype html>"), "{status}: {nothing}");

    development.assert_shows_mail(&config).await;

    host::signal("TERM", development.child.0.id());
    assert_eq!(host::wait(&mut development.child.0, LONGEST), Some(Some(0)));
    assert!(!config.parent().unwrap().exists(), "the folder ends with the program");
}

#[test]
fn other_settings_stores_and_addresses_are_refused() {
    for (arguments, variable, words) in [
        (&["--listen", "0.0.0.0:3000"][..], None, "not on 0.0.0.0:3000"),
        (&["--config", "other.yaml"], None, "Omit --config"),
        (&[], Some("LATCHKEY__STORAGE__URL"), "Unset the variable LATCHKEY__STORAGE__URL"),
        (&[], Some("LATCHKEY_LISTEN"), "Unset the variable LATCHKEY_LISTEN"),
    ] {
        let mut command = dev(arguments);
        let ran = run(command.envs(variable.map(|name| (name, "sqlite://other.db"))));
        assert!(ran.code == Some(1) && ran.err.contains(words), "{arguments:?}: {ran:?}");
    }
}
