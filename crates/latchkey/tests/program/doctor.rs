//! Tests `latchkey doctor`: each possible problem of a machine is caused once, and must be reported. The
//! command creates and changes nothing.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use testkit::free_port;

use crate::folder::Folder;
use crate::foreign::{bash, python};
use crate::host::{Ran, run};
use crate::mock_server::{MockRequest, MockServer, Reply};
use crate::program::Program;
use crate::settings::{TWO_TENANTS, edited, with_line};

/// Settings with a listener on a port that was just free, and with a public URL at this address.
fn settings() -> (String, SocketAddr) {
    let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
    let server = format!("server:\n  public_url: http://{address}\n");
    let settings = edited(TWO_TENANTS, "server:\n", &server);
    (edited(&settings, "address: 127.0.0.1:0", &format!("address: {address}")), address)
}

fn examine(command: &mut Command) -> (Ran, Value) {
    let ran = run(command.arg("--json"));
    let report = ran.document();
    (ran, report)
}

/// Runs the doctor in this folder. Checks the exit code, and that the report has these lines: check, status,
/// and words of the finding.
#[track_caller]
fn doctor(folder: &Folder, code: i32, expected: &[(&str, &str, &str)]) -> Value {
    let (ran, report) = examine(&mut folder.program(&["doctor"]));
    folder.canaries.assert_absent(&ran.out);
    folder.canaries.assert_absent(&ran.err);
    assert_eq!(ran.code, Some(code), "{report:#}");
    expected.iter().for_each(|(check, status, found)| assert_line(&report, check, status, found));
    report
}

/// Checks that the doctor finds errors, with these lines.
pub(crate) fn assert_checks(folder: &Folder, expected: &[(&str, &str, &str)]) {
    doctor(folder, 1, expected);
}

/// The lines of a check: status, finding and fix.
fn lines<'r>(report: &'r Value, check: &str) -> Vec<(&'r str, &'r str, &'r str)> {
    let text = |line: &'r Value, member: &str| line[member].as_str().unwrap_or_default();
    let checks = report["checks"].as_array().unwrap().iter().filter(|line| line["check"] == check);
    checks.map(|line| (text(line, "status"), text(line, "found"), text(line, "fix"))).collect()
}

#[track_caller]
fn assert_line(report: &Value, check: &str, status: &str, found: &str) {
    let lines = lines(report, check);
    let is_there = lines.iter().any(|line| line.0 == status && line.1.contains(found));
    assert!(is_there, "no line {status} {check} {found:?} in {report:#}");
    // Each problem has a hint.
    assert!(lines.iter().all(|line| matches!(line.0, "ok" | "skipped") == line.2.is_empty()), "{lines:?}");
}

/// Every file below a folder, with its content.
fn content(folder: &Path) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(content(&path));
        } else {
            all.push((path.clone(), fs::read(&path).unwrap()));
        }
    }
    all.sort();
    all
}

#[test]
fn check_before_the_first_start_creates_nothing() {
    let (settings, address) = settings();
    let folder = Folder::with(&settings);
    let expected = [
        ("settings", "ok", "no errors"),
        ("storage", "ok", "the first start creates it"),
        ("migrations", "ok", "there is no schema yet"),
        ("sealing-key", "skipped", "does not contain sealed values yet"),
        ("redis", "skipped", "not set"),
        ("listener", "ok", &format!("{address} is free")),
        ("issuer", "skipped", "the first start of the server serves this issuer"),
        ("clock", "skipped", "no other clock"),
    ];
    doctor(&folder, 0, &expected);
    let mut relative = Command::new(env!("CARGO_BIN_EXE_latchkey"));
    let (ran, report) = examine(relative.arg("doctor").current_dir(folder.path("")).env_clear());
    assert_eq!(ran.code, Some(0), "{report:#}");
    assert_line(&report, "storage", "ok", "data/latchkey.db does not exist yet; the first start creates it");
    assert!(!folder.exists("data") && !folder.exists("keys"));
}

#[test]
fn running_server_is_healthy_and_unchanged() {
    let (settings, address) = settings();
    let folder = Folder::with(&settings);
    let program = Program::start(&folder);
    let report = doctor(&folder, 0, &[]);
    assert_eq!(report["status"], "ok", "{report:#}");
    for (check, found) in [
        ("storage", "is readable and writable"),
        ("migrations", "matches this version"),
        ("sealing-key", "sealed values in the store"),
        ("listener", &format!("a ready Latchkey server listens on {address}")),
        ("issuer", "(tenant acme): the metadata has the correct issuer"),
        ("issuer", "(tenant globex): the metadata has the correct issuer"),
        ("clock", "the clocks of this machine and of an issuer agree"),
        ("key-set", "(tenant acme): the key set"),
        ("name", "resolves to"),
        ("proxy", "clients connect directly"),
        ("config", "config.yaml has the mode"),
        ("secrecy", "is readable by every user"),
        ("key-steps", ""),
        ("disk", "MiB are free in "),
        ("memory", "MiB are available"),
        ("open-files", "connections"),
        ("log", "the log filter is valid"),
        ("files", "latchkey.db belongs to "),
        ("files", "sealing.key belongs to "),
    ] {
        assert_line(&report, check, "ok", found);
    }
    program.stop();
    let before = content(&folder.path(""));
    doctor(&folder, 0, &[]);
    assert_eq!(content(&folder.path("")), before);
    let text = run(&mut folder.program(&["doctor"]));
    assert!(text.out.starts_with("ok       settings    no errors and no warnings\n"), "{}", text.out);
    assert!(text.out.ends_with("0 errors, 2 warnings\n"), "{}", text.out);
}

#[test]
fn invalid_settings_are_an_error_and_ineffective_a_warning() {
    let strategies = "globex:\n    strategies: { oauth2: { enabled: true }, ";
    for (to, is_only, status, found) in [
        ("globex:\n    strategys: { ", true, "error", "did you mean `strategies`?"),
        (
            "globex:\n    strategies: { ",
            false,
            "warning",
            "tenants.globex: the strategy oauth2 is not enabled",
        ),
    ] {
        let folder = Folder::with(&edited(TWO_TENANTS, strategies, to));
        let report = doctor(&folder, i32::from(is_only), &[("settings", status, found)]);
        assert_eq!(report["checks"].as_array().unwrap().len() == 1, is_only, "{report:#}");
    }
}

#[test]
fn store_path_that_is_a_folder_is_an_error() {
    let folder = Folder::with(TWO_TENANTS);
    fs::create_dir_all(folder.path("data/latchkey.db")).unwrap();
    doctor(&folder, 1, &[("storage", "error", "cannot write")]);
}

#[test]
fn other_schema_version_is_reported() {
    let folder = Folder::with(TWO_TENANTS);
    folder.run(&["migrate"]).output();
    let database = folder.path("data/latchkey.db");
    let set = |sql: &str| {
        let script =
            format!("import sqlite3\nwith sqlite3.connect({database:?}) as store: store.execute({sql:?})\n");
        python(&script, &[]).output();
    };
    set(
        "INSERT INTO _sqlx_migrations SELECT 9999, description, installed_on, success, checksum, execution_time FROM _sqlx_migrations WHERE version = 1",
    );
    doctor(&folder, 1, &[("migrations", "error", "has schema 9999")]);
    let upgrade = |code: i32, says: &str| {
        let ran = folder.run(&["upgrade", "check"]);
        assert!(ran.code == Some(code) && format!("{}{}", ran.out, ran.err).contains(says), "{ran:?}");
    };
    upgrade(1, "run a newer version");
    set("DELETE FROM _sqlx_migrations WHERE version > 51");
    upgrade(
        2,
        "52  tenants that move\n  53  names of secrets\n  54  federated clients\n  55  audit stream\n  56  password setter\n  57  federated subjects\n  58  restored at\n  59  history\n  60  refused credentials\n  61  changes without a lock\n  62  accounts with permissions\n  63  mail outbox\n  64  token format of apis\nRunning servers can continue next to this version",
    );
    set("DELETE FROM _sqlx_migrations WHERE version > 50");
    upgrade(
        2,
        "51  kid\n  52  tenants that move\n  53  names of secrets\n  54  federated clients\n  55  audit stream\n  56  password setter\n  57  federated subjects\n  58  restored at\n  59  history\n  60  refused credentials\n  61  changes without a lock\n  62  accounts with permissions\n  63  mail outbox\n  64  token format of apis\nFirst stop all servers that use the store",
    );
    set("DELETE FROM _sqlx_migrations WHERE version > 3");
    doctor(&folder, 0, &[("migrations", "warning", "has schema 3")]);
    upgrade(2, "First stop all servers that use the store");
}

#[test]
fn wrong_sealing_key_is_reported() {
    let folder = Folder::with(TWO_TENANTS);
    Program::start(&folder).stop();
    fs::rename(folder.path("keys/sealing.key"), folder.path("keys/old.key")).unwrap();
    doctor(&folder, 1, &[("sealing-key", "error", "is missing, but the store has rows")]);
    folder
        .run(&["key", "new-sealing-key", "--file", folder.path("keys/sealing.key").to_str().unwrap()])
        .output();
    doctor(&folder, 1, &[("sealing-key", "error", "cannot open the pepper")]);
    let keys = "sealing_key: { file: keys/sealing.key }, former_sealing_keys: [{ file: keys/old.key }]";
    folder.write("config.yaml", &edited(TWO_TENANTS, "sealing_key: { file: keys/sealing.key }", keys));
    doctor(&folder, 0, &[("sealing-key", "warning", "sealed with a former key")]);
}

#[test]
fn unreachable_redis_is_a_warning() {
    let folder = Folder::with(TWO_TENANTS);
    let url = format!("redis://:hunter2-canary@127.0.0.1:{}", free_port());
    let (ran, report) = examine(folder.program(&["doctor"]).env("LATCHKEY__CACHE__REDIS_URL", url));
    assert_eq!(ran.code, Some(0), "{report:#}");
    assert_line(&report, "redis", "warning", "does not answer");
    assert!(!ran.out.contains("hunter2-canary"), "{}", ran.out);
}

#[test]
fn remaining_days_of_a_certificate_are_reported() {
    let listener =
        "address: 127.0.0.1:0, tls: { certificate: data/dev-cert.pem, private_key: data/dev-key.pem }";
    let folder = Folder::with(&edited(TWO_TENANTS, "address: 127.0.0.1:0", listener));
    doctor(&folder, 1, &[("settings", "error", "this file does not exist")]);
    folder.run(&["dev-cert"]).output();
    let certificate = ("certificate", "ok", "127.0.0.1:0: valid for 36");
    doctor(&folder, 0, &[certificate, ("files", "ok", "dev-key.pem belongs to ")]);
}

/// Only root can give a file to another user, so this test needs root. The printed command must be the fix.
#[test]
fn printed_command_fixes_a_wrong_file_owner() {
    let folder = Folder::with(TWO_TENANTS);
    Program::start(&folder).stop();
    let (data, user) = (folder.path("data"), "65534");
    if run(Command::new("chown").arg(user).arg(&data)).code != Some(0) {
        eprintln!("not tried: this user may not give a file away");
        return;
    }
    let database = data.join("latchkey.db").display().to_string();
    let found = format!("{database} belongs to root (mode 0600) but its folder to ");
    let report = doctor(&folder, 1, &[("files", "error", &found)]);
    for (_, _, fix) in lines(&report, "files").into_iter().filter(|line| line.0 == "error") {
        bash(fix.split('`').nth(1).unwrap(), &[]).output();
    }
    let report = doctor(&folder, 0, &[]);
    assert!(lines(&report, "files").iter().all(|line| line.0 == "ok"), "{report:#}");
}

#[test]
fn used_port_and_foreign_address_are_reported() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let listeners = format!("{{ address: {address} }}, {{ address: 192.0.2.1:3000, serves: [public] }}");
    let settings = edited(TWO_TENANTS, "{ address: 127.0.0.1:0 }", &listeners);
    let folder = Folder::with(&settings);
    let answering = std::thread::spawn(move || {
        use std::io::Write as _;
        let (mut connection, _) = taken.accept().unwrap();
        connection.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}").unwrap();
    });
    let taken = format!("another program uses {address}");
    let elsewhere = "no network interface of this machine has the address 192.0.2.1";
    doctor(&folder, 1, &[("listener", "error", &taken), ("listener", "error", elsewhere)]);
    answering.join().unwrap();
}

/// Answers metadata requests like an issuer whose clock is this many seconds behind. `None`: answers 404.
async fn issuer(seconds_behind: Option<u64>) -> MockServer {
    let answer = move |request: &MockRequest| {
        let Some(seconds) = seconds_behind else { return Reply::new(404, "x: y", b"") };
        let tenant_path = request.path.strip_prefix("/.well-known/oauth-authorization-server").unwrap();
        let mut date = Command::new("date");
        date.env("LC_ALL", "C").args(["-u", "-d", &format!("{seconds} seconds ago")]);
        let date = run(date.arg("+date: %a, %d %b %Y %H:%M:%S GMT")).output();
        let issuer = json!({ "issuer": format!("http://{}{tenant_path}", request.headers["host"]) });
        Reply::new(200, date.trim(), issuer.to_string().as_bytes())
    };
    MockServer::start(None, answer).await
}

/// A unit test covers the limits. `running_server_is_healthy_and_unchanged` covers a clock that
/// agrees.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_clock_and_missing_metadata_are_reported() {
    let clock = "s ahead of the clock of an issuer";
    let synchronise = "synchronize both machines with a time server (`timedatectl set-ntp true`)";
    let sound = "(tenant acme): the metadata has the correct issuer";
    for (behind, expected, fix) in [
        (Some(3600), &[("clock", "error", clock), ("issuer", "ok", sound)][..], synchronise),
        (
            None,
            &[("issuer", "error", "responds with 404 instead of metadata")],
            "configure the proxy to forward this path",
        ),
    ] {
        let issuer = issuer(behind).await;
        let server = format!("server:\n  public_url: {}\n", issuer.url());
        let folder = Folder::with(&edited(TWO_TENANTS, "server:\n", &server));
        let report = doctor(&folder, 1, expected);
        assert!(lines(&report, expected[0].0)[0].2.starts_with(fix), "{report:#}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn metadata_of_another_issuer_is_reported() {
    let (settings, address) = settings();
    let other = || Reply::new(200, "x: y", b"{\"issuer\":\"https://other.example\"}");
    let elsewhere = MockServer::start(None, move |_: &MockRequest| other()).await;
    for (issuer, code, status, found) in [
        // The server serves the metadata of an issuer below its own URL.
        (format!("http://{address}/"), 0, "ok", "(tenant globex)"),
        (elsewhere.url(), 1, "error", "(tenant globex): the metadata has another issuer"),
    ] {
        let folder = Folder::with(&with_line(&settings, "globex", &format!("issuer: {issuer}")));
        let program = Program::start(&folder);
        doctor(&folder, code, &[("issuer", "ok", "(tenant acme)"), ("issuer", status, found)]);
        program.stop();
    }
}
