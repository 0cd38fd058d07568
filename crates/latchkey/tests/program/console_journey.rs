//! An operator uses the console in Chromium: from a link to a pasted command that fetches a token, rotation
//! and revocation, with script and without.

use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use protocol::SigningAlgorithm;
use reqwest::Method;
use serde_json::json;
use values::Timestamp;

use crate::answer::Answer;
use crate::assertions::Pair;
use crate::cli::{Cli, administrator, first_administrator};
use crate::cli_profiles::{User, started_at_public_url};
use crate::folder::Folder;
use crate::foreign::{bash, browser_within};
use crate::host::run;
use crate::program::Program;
use crate::settings::TWO_TENANTS;

/// The screenshots are outside the folder of the test, which is deleted.
const REPORTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/screenshots");

/// The limit for twenty pages, four times the usual time.
const LONGEST_JOURNEY: Duration = Duration::from_secs(150);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn operator_creates_tenant_and_application_in_the_console() {
    let (folder, program) = Program::serving(TWO_TENANTS);
    for (script, tenant) in [("true", "initech"), ("false", "hooli")] {
        let path = if script == "true" {
            // The platform has no administrator yet.
            path_at_terminal(&folder)
        } else {
            let admin = administrator(&folder, &program).await;
            let made = admin.send_request(Method::POST, "/api/v1/admin/console-links", None).await;
            made["path"].as_str().unwrap().to_owned()
        };
        let link = program.url(&path);
        let environment = [("LINK", &*link), ("SCRIPT", script), ("TENANT", tenant), ("REPORTS", REPORTS)];
        let found = browser_within("console.cjs", &environment, LONGEST_JOURNEY).json();
        assert_eq!(found["problems"], json!([]), "{found}");
        let [first, second] = ["first", "second"].map(|name| found[name].as_str().unwrap());
        let curl = found["curl"].as_str().unwrap().replace("http://localhost:3000", &program.url(""));
        for (secret, issued) in [(first, false), (second, true)] {
            folder.canaries.add(secret);
            let answer = bash(&curl, &[("CLIENT_SECRET", secret)]).output();
            assert_eq!(answer.contains("access_token"), issued, "{answer}");
        }
        // The link was already used, so the person sees the sign-in page.
        assert_eq!(found["signedOut"], "You are signed out.", "{found}");
        assert_eq!(found["copies"], if script == "true" { json!(4) } else { json!(0) }, "{found}");
    }
}

/// Counts after the caches are filled. Background statements of the program may coincide with those of a
/// page.
#[tokio::test]
async fn pages_take_at_most_six_statements_and_60_kb() {
    let (folder, program) = Program::serving(TWO_TENANTS);
    let admin = administrator(&folder, &program).await;
    let made = admin.send_request(Method::POST, "/api/v1/admin/console-links", None).await;
    let (link, code) = made["path"].as_str().unwrap().split_once('#').unwrap();
    let exchange = program.request(Method::POST, link).header("origin", program.url(""));
    let begun = Answer::to(exchange.form(&[("code", code)])).await;
    let cookie = begun.header("set-cookie").split(';').next().unwrap();
    let get = async |path: &str| {
        let answer = Answer::to(program.request(Method::GET, path).header("cookie", cookie)).await;
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        answer.body
    };
    let statements = async || {
        let metrics = program.get("/metrics").await.body;
        let series = "latchkey_store_statements_total ";
        let count = metrics.lines().find_map(|line| line.strip_prefix(series)).unwrap();
        count.parse::<u64>().unwrap()
    };
    let of_platform = ["", "/advice", "/tenants", "/tenants?search=acme", "/tenants/new", "/audit"];
    let created = json!({ "email": "ada@example.com" });
    let mut people = Vec::new();
    for tenant in ["acme", "globex"] {
        let accounts = format!("/api/v1/tenant/{tenant}/accounts");
        let made = admin.send_request(Method::POST, &accounts, Some(created.clone())).await;
        let account = made["account_id"].as_str().unwrap().to_owned();
        people.push(format!("/console/t/{tenant}/people/{account}"));
    }
    let of_tenant = [
        "",
        "/advice",
        "/applications",
        "/applications/new",
        "/applications/new?like=svc",
        "/applications/svc",
        "/applications/svc/edit",
        "/applications/svc/try",
        "/applications/svc/credentials",
        "/people",
        "/people?search=ada",
        "/people/new",
        "/keys",
        "/audit",
    ];
    let tenants = ["acme", "globex"].map(|tenant| of_tenant.map(|page| format!("/console/t/{tenant}{page}")));
    let pages = of_platform
        .map(|page| format!("/console{page}"))
        .into_iter()
        .chain(tenants.into_iter().flatten())
        .chain(people);
    for path in pages {
        let page = get(&path).await;
        let mut least = u64::MAX;
        for _ in 0..5 {
            let before = statements().await;
            get(&path).await;
            least = least.min(statements().await - before);
            if least <= 6 {
                break;
            }
        }
        assert!(least <= 6, "{path}: {least} statements");
        let mut bytes = page.len();
        for asset in page.split('"').filter(|text| text.starts_with("/assets/") && !text.ends_with(".svg")) {
            bytes += program.get(asset).await.body.len();
        }
        assert!(bytes <= 60_000, "{path}: {bytes} bytes");
    }
}

/// The path below the public URL that the command prints at a terminal. It prints none to a pipe.
fn path_at_terminal(folder: &Folder) -> String {
    let piped = folder.program(&["console"]).output().unwrap();
    let refused = String::from_utf8_lossy(&piped.stderr);
    assert!(piped.stdout.is_empty() && refused.contains("only to a terminal"), "{refused}");
    let printed = at_terminal(folder, "", &[]);
    let link = printed.split_whitespace().find(|word| word.starts_with("http")).unwrap();
    link[link.find("/console").unwrap()..].to_owned()
}

fn at_terminal(folder: &Folder, more: &str, environment: &[(&str, &str)]) -> String {
    let mut script = Command::new("script");
    let command = format!("'{}' console --config config.yaml {more}", env!("CARGO_BIN_EXE_latchkey"));
    script.args(["--quiet", "--return", "--command", &command, "/dev/null"]).current_dir(folder.path("."));
    run(script.envs(environment.iter().copied())).output()
}

// [third 6]
#[tokio::test]
async fn command_line_with_client_secret_gets_a_long_session() {
    let (folder, program) = Program::serving(TWO_TENANTS);
    let secret = first_administrator(&folder, &program).await;
    let server = program.url("");
    let token = program.administration_token("admin", &secret).await.unwrap();
    folder.canaries.add(&token);
    let client = format!("--server {server} --as-client admin --as-client-secret-file admin.secret");
    let by_secret = at_terminal(&folder, &client, &[]);
    let by_token = at_terminal(&folder, &format!("--server {server}"), &[("LATCHKEY_TOKEN", &token)]);
    assert!((700..=720).contains(&minutes(&by_secret)), "{by_secret}");
    assert!(minutes(&by_token) <= 60, "{by_token}");
}

/// The duration of the session as `latchkey console` prints it.
#[expect(clippy::disallowed_methods, reason = "the program has the clock of the machine")]
fn minutes(printed: &str) -> u64 {
    let end = printed.split("The session ends at ").nth(1).unwrap().split(" UTC").next().unwrap();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    (Timestamp::parse_rfc3339(&format!("{end}:00Z")).unwrap().seconds() - now) / 60
}

// [third 6]
#[tokio::test]
async fn command_line_with_client_key_gets_a_long_session() {
    let folder = Folder::with(TWO_TENANTS);
    let program = started_at_public_url(&folder);
    let administration = Cli::server(&folder, &program).await;
    let (server, home) = (program.url(""), folder.path("home").display().to_string());
    let pair = Pair::generate(SigningAlgorithm::ES256);
    folder.write("jwks.json", &json!({ "keys": [pair.key.jwk] }).to_string());
    folder.write("robot.pem", &pair.pem());
    let kid = serde_json::to_value(&pair.key.jwk).unwrap()["kid"].as_str().unwrap().to_owned();
    for tenant in ["acme", "globex"] {
        let audience = format!("urn:latchkey:tenant:{tenant}");
        let add = ["client", "add", tenant, "robot", "--auth-method", "private_key_jwt"];
        let more = ["--jwks", "jwks.json", "--scope", "latchkey:clients", "--audience", &audience];
        administration.run(&[&add[..], &more].concat()).output();
        let login = ["login", "--server", &server, "--tenant", tenant, "--client-id", "robot"];
        let key = ["--key", "robot.pem", "--key-id", &kid, "--resource", &audience, "--profile", tenant];
        User(&folder).run(&[&login[..], &key].concat()).output();
        let printed = at_terminal(&folder, &format!("{tenant} --server {server}"), &[("HOME", &home)]);
        assert!((700..=720).contains(&minutes(&printed)), "{printed}");
    }
    program.stop();
}
