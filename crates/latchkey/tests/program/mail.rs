//! Tests mail to people with a mail server of PyPI: TLS, authentication, refusals, and an invitation from the
//! command to the mail server.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rcgen::{CertificateParams, KeyPair, SanType};
use serde_json::Value;

use crate::certificates::{authority, write};
use crate::cli::Cli;
use crate::doctor::assert_checks;
use crate::folder::Folder;
use crate::foreign::{Killed, installed};
use crate::program::Program;
use crate::settings::TWO_TENANTS;

const PASSWORD: &str = "a-canary-of-mail-5d2";
const SERVER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/program/scripts/mail_server.py");

struct TestEnv {
    folder: Folder,
    _server: Killed,
}

impl TestEnv {
    /// `{starttls}`, `{tls}` and `{plain}` in the settings become the ports of mail servers.
    fn start(mail: &str) -> Self {
        let folder = Folder::with("");
        let ours = authority("ours");
        folder.write("ca.pem", &ours.pem());
        folder.write("other-ca.pem", &authority("other").pem());
        let mut parameters = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        parameters.subject_alt_names.push(SanType::IpAddress([127, 0, 0, 1].into()));
        let key = KeyPair::generate().unwrap();
        let certificate = parameters.signed_by(&key, &ours).unwrap();
        write(&folder, "server", &certificate.pem(), &key);
        folder.write_secret("right.password", &format!("{PASSWORD}\n"));
        folder.write_secret("wrong.password", "another-canary-of-mail");
        fs::create_dir(folder.path("received")).unwrap();
        let mut command = Command::new(installed("LATCHKEY_TEST_PYTHON"));
        let arguments = ["server.pem", "server.key", "received"].map(|name| folder.path(name));
        let mut process =
            command.arg(SERVER).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ports: Value = serde_json::from_str(&line).unwrap();
        let settings = ["starttls", "tls", "plain"].iter().fold(mail.to_owned(), |settings, name| {
            settings.replace(&format!("{{{name}}}"), &ports[name].to_string())
        });
        folder.write("config.yaml", &format!("{TWO_TENANTS}\n{settings}"));
        Self { folder, _server: Killed(process) }
    }

    /// The messages that the mail servers have accepted, without the encoding of their texts.
    fn received(&self) -> Vec<String> {
        let files = fs::read_dir(self.folder.path("received")).unwrap().map(|entry| entry.unwrap().path());
        let mut files: Vec<_> = files.filter(|path| path.extension() == Some("eml".as_ref())).collect();
        files.sort();
        files.iter().map(|path| decoded(path)).collect()
    }

    /// Waits for a message.
    fn message(&self, number: usize) -> String {
        let begun = Instant::now();
        loop {
            let mut received = self.received();
            if received.len() > number {
                return received.swap_remove(number);
            }
            assert!(begun.elapsed() < Duration::from_secs(20), "no message has arrived");
            sleep(Duration::from_millis(50));
        }
    }
}

/// Quoted-printable lines, joined and with the equals signs that links need.
fn decoded(path: &Path) -> String {
    fs::read_to_string(path).unwrap().replace("=\r\n", "").replace("=3D", "=").replace("\r\n", "\n")
}

const SERVERS: &str = "
mail:
  from: Example <no-reply@id.example.com>
  reply_to: help@example.com
  smtp:
    url: smtp://localhost:{starttls}
    username: latchkey
    password: { file: right.password }
    ca: ca.pem
  tenants:
    acme: { from: Acme <no-reply@acme.example>, smtp: { url: 'smtps://127.0.0.1:{tls}', username: latchkey, password: { file: right.password }, ca: ca.pem } }
    globex: { from: no-reply@globex.example }
    wrong: { smtp: { url: 'smtp://localhost:{starttls}', username: latchkey, password: { file: wrong.password }, ca: ca.pem } }
    untrusted: { smtp: { url: 'smtps://localhost:{tls}', ca: other-ca.pem } }
    plain: { smtp: { url: 'smtp://localhost:{plain}' } }
    missing: { smtp: { url: 'smtp://localhost:{plain}', ca: ca.pem } }
    unsigned: { smtp: { url: 'smtps://localhost:{tls}', ca: ca.pem } }
";

#[test]
fn each_servers_answer_is_shown() {
    let test_env = TestEnv::start(SERVERS);
    let (accepts, unreachable) =
        ("accepted the message: 250 2.0.0 queued for <address>", "Check url, username");
    for (to, tenant, code, words) in [
        ("ada@example.com", "", 0, [accepts, "mail.smtp"]),
        ("j\u{fc}rgen@example.com", "globex", 0, [accepts, "mail.smtp"]),
        ("ada@example.com", "acme", 0, [accepts, "mail.tenants.acme.smtp"]),
        ("unknown@example.com", "acme", 1, ["550 5.1.1 <address> no such user", "Check the address"]),
        ("greylisted@example.com", "acme", 1, ["451 4.7.1 greylisted, try again", "Try again in a few"]),
        ("greylisted@example.com", "acme", 0, [accepts, ""]),
        ("ada@example.com", "wrong", 1, ["mail.tenants.wrong.smtp: 535 5.7.8", unreachable]),
        ("ada@example.com", "untrusted", 1, ["UnknownIssuer", unreachable]),
        ("ada@example.com", "plain", 0, [accepts, ""]),
        ("j\u{fc}rgen@example.com", "plain", 1, ["does not support SMTPUTF8", "Check the address"]),
        ("ada@example.com", "missing", 1, ["STARTTLS is not supported on this server", unreachable]),
        ("ada@example.com", "unsigned", 1, ["530 5.7.0", unreachable]),
    ] {
        let of = if tenant.is_empty() { vec![] } else { vec!["--tenant", tenant] };
        let ran = test_env.folder.run(&[&["mail", "test", to], &of[..]].concat());
        let said = format!("{}{}", ran.out, ran.err);
        assert_eq!(ran.code, Some(code), "{to} {tenant}: {said}");
        words
            .iter()
            .for_each(|words| assert!(said.contains(words), "{to} {tenant}: {words:?} not in {said}"));
        assert!(!said.contains("@example.com"), "{said}");
    }
    let received = test_env.received();
    assert_eq!(received.len(), 5);
    let header = |number: usize, line: &str| {
        let found = received.iter().filter(|message| message.contains(&format!("\n{line}\n"))).count();
        assert!(found >= number, "{line} is in {found} of {received:#?}");
    };
    header(2, "From: Example <no-reply@id.example.com>");
    header(1, "From: no-reply@globex.example");
    header(5, "Reply-To: help@example.com");
    header(5, "Auto-Submitted: auto-generated");
    header(1, "To: j\u{fc}rgen@example.com");
    assert!(received.iter().all(|message| !message.contains("List-Unsubscribe")), "they are no notices");

    let failing = ["wrong", "untrusted", "missing"];
    let mut expected =
        vec![("mail", "ok", "mail.smtp accepts mail"), ("mail", "ok", "mail.tenants.acme.smtp")];
    let keys = failing.map(|tenant| format!("mail.tenants.{tenant}.smtp: "));
    expected.extend(keys.iter().map(|key| ("mail", "error", key.as_str())));
    assert_checks(&test_env.folder, &expected);
}

#[tokio::test]
async fn invitation_arrives_by_mail() {
    let test_env = TestEnv::start(
        "mail:\n  from: Example <no-reply@id.example.com>\n  smtp: { url: 'smtp://127.0.0.1:{plain}' }\n",
    );
    let folder = &test_env.folder;
    let signing_in = folder.read("config.yaml").replace(
        "strategies: { oauth2: { enabled: true } }",
        "strategies: { oauth2: { enabled: true }, oidc: { enabled: true } }",
    );
    folder.write("config.yaml", &signing_in);
    let program = Program::start(folder);
    let cli = Cli::server(folder, &program).await;
    for (number, tenant) in ["acme", "globex"].into_iter().enumerate() {
        let added = cli.json(&["account", "add", tenant, "--email", &format!("ada@{tenant}.example")]);
        let id = added["account_id"].as_str().unwrap();
        cli.run(&["account", "invite", tenant, id]).output();
        let message = test_env.message(number);
        assert!(message.contains(&format!("\nTo: ada@{tenant}.example\n")), "{message}");
        assert!(message.contains(&format!("/api/v1/tenant/{tenant}/account/set-password#")), "{message}");
        let begun = Instant::now();
        while !cli.run(&["account", "mail", tenant, id]).output().contains("delivered") {
            assert!(begun.elapsed() < Duration::from_secs(10), "the delivery is not shown");
            sleep(Duration::from_millis(100));
        }
        let audit =
            cli.run(&["audit", "list", "--tenant", tenant, "--action", "account.mail_delivered"]).output();
        assert!(audit.contains("account.mail_delivered") && audit.contains("letter invitation"), "{audit}");
    }
    let url = format!("http://{}/dev/mail", program.addresses()[0]);
    assert_eq!(reqwest::get(url).await.unwrap().status().as_u16(), 404);
    assert_eq!(test_env.received().len(), 2);
    let log = program.log();
    assert!(log.iter().all(|line| !line.to_string().contains(".example\"")), "{log:#?}");
}
