//! Tests a store that moves to the other engine and back while servers use it. All content stays valid:
//! tokens, revocations, secrets, API keys, sessions, refresh tokens and keys.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::Value;

use crate::api_keys::api_key;
use crate::database::{Database, Server};
use crate::folder::Folder;
use crate::host::{Ran, run};
use crate::person::{AUTHORIZATION_REQUEST, Browser, code_of, redeem, request, settings_with_people};
use crate::program::{Mark, Program};
use crate::revocation::introspect;
use crate::running::tenant_path;
use crate::test_env::{Replica, TENANTS, TestEnv};

/// The credentials that a tenant has issued.
pub(crate) struct Held {
    tenant: &'static str,
    pub(crate) token: String,
    revoked: String,
    api_key: String,
    refresh_token: String,
    browser: Browser,
    keys: Value,
}

impl Held {
    pub(crate) async fn new(test_env: &TestEnv, replica: &Replica, tenant: &'static str) -> Self {
        let secret = test_env.secret_of(tenant);
        let token = replica.program.token(tenant, "svc-0", secret).await;
        let revoked = replica.program.token(tenant, "svc-0", secret).await;
        let form = [("client_id", "svc-0"), ("client_secret", secret), ("token", &*revoked)];
        assert_eq!(replica.program.post(&tenant_path(tenant, "/oauth/revoke"), &form).await.status, 200);
        let browser = Browser::signed_in(test_env, tenant, replica).await;
        let code = code_of(&browser.authorize(replica, &AUTHORIZATION_REQUEST).await).unwrap();
        let tokens = redeem((test_env, tenant), replica, &code).await.json();
        Self {
            tenant,
            token,
            revoked,
            api_key: api_key(test_env, replica, tenant).0,
            refresh_token: tokens["refresh_token"].as_str().unwrap().to_owned(),
            browser,
            keys: replica.program.jwks(tenant).await.json(),
        }
    }

    /// Checks that everything is unchanged at a program on another store.
    async fn check(&mut self, test_env: &TestEnv, replica: &Replica) {
        self.check_tokens(test_env, replica).await;
        assert!(code_of(&self.browser.authorize(replica, &AUTHORIZATION_REQUEST).await).is_some());
    }

    /// Checks the credentials that belong to no session, which must be unchanged.
    pub(crate) async fn check_tokens(&mut self, test_env: &TestEnv, replica: &Replica) {
        let (tenant, of) = (self.tenant, (test_env, self.tenant));
        assert_eq!(replica.program.jwks(tenant).await.json(), self.keys);
        for (token, is_active) in [(&self.token, true), (&self.revoked, false), (&self.api_key, true)] {
            let answer = introspect(test_env, replica, tenant, token).await;
            assert_eq!(answer.json()["active"], is_active, "{answer:?}");
        }
        replica.program.token(tenant, "svc-0", &self.api_key).await;
        let form = [("grant_type", "refresh_token"), ("refresh_token", &*self.refresh_token)];
        let refreshed = request(of, replica, "/oauth/token", &form).await;
        self.refresh_token = refreshed.json()["refresh_token"].as_str().unwrap().to_owned();
    }
}

pub(crate) fn start(test_env: &TestEnv, settings: &str, url: &str) -> Replica {
    let folder = Folder::with(settings);
    let mut command = test_env.command(&folder, &["serve"]);
    Replica { program: Program::spawn(&folder, command.env("LATCHKEY__STORAGE__URL", url)), folder }
}

/// Repeats a command that exits with 6: on a busy machine, opening its first connection may take too long.
pub(crate) fn patiently(command: impl Fn() -> Command) -> Ran {
    let ran = || run(&mut command());
    (0..5).map(|_| ran()).find(|ran| ran.code != Some(6)).unwrap_or_else(ran)
}

fn store_copy(test_env: &TestEnv, folder: &Folder, arguments: &[&str]) -> Ran {
    run(&mut test_env.command(folder, &[&["store", "copy"], arguments].concat()))
}

/// Kills a copy this long after it has printed this line.
fn killed(test_env: &TestEnv, folder: &Folder, [from, to]: [&str; 2], (line, after): (&str, u64)) {
    let mut command = test_env.command(folder, &["store", "copy", "--from", from, "--to", to]);
    let mut copy = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(copy.stderr.take().unwrap()).lines().map_while(Result::ok);
    let told: Vec<_> = lines.take_while(|told| !told.starts_with(line)).collect();
    std::thread::sleep(Duration::from_millis(after));
    assert_eq!(copy.try_wait().unwrap(), None, "{line}: {told:#?}");
    copy.kill().unwrap();
    copy.wait().unwrap();
}

/// Copies while callers get tokens. None of them fails, and the source refuses writes afterwards.
async fn copied(test_env: &TestEnv, source: &Replica, [from, to]: [&str; 2]) {
    let ended = Arc::new(AtomicBool::new(false));
    let copying = {
        let command =
            test_env.command(&source.folder, &["store", "copy", "--from", from, "--to", to, "--json"]);
        let ended = Arc::clone(&ended);
        tokio::task::spawn_blocking(move || {
            let mut command = command;
            let copied = run(&mut command);
            ended.store(true, Ordering::Relaxed);
            copied
        })
    };
    let mut requests = 0;
    while !ended.load(Ordering::Relaxed) || requests < 4 {
        let tenant = TENANTS[requests % 2];
        let answer = source.program.request_token(tenant, "svc-0", test_env.secret_of(tenant)).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        requests += 1;
    }
    let ran = copying.await.unwrap();
    let lines = ran.err.lines().count();
    assert!((1..20).contains(&lines), "{lines} lines: {ran:?}");
    let document = ran.json();
    let pause = document["pause_ms"].as_u64().unwrap();
    eprintln!("measured: writes paused for {pause} ms, {requests} requests meanwhile, 0 failed");
    let at = source.program.mark();
    for tenant in TENANTS {
        let token = source.program.token(tenant, "svc-0", test_env.secret_of(tenant)).await;
        let form =
            [("client_id", "svc-0"), ("client_secret", test_env.secret_of(tenant)), ("token", &*token)];
        let refused = source.program.post(&tenant_path(tenant, "/oauth/revoke"), &form).await;
        refused.assert_refused(503, "temporarily_unavailable");
    }
    source.program.log_after(at, "the store was moved to ");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn store_moves_to_the_other_engine_and_back() {
    let test_env = TestEnv::new(None);
    let settings = settings_with_people().replace(
        "\n    clients:",
        "\n    api_keys: { max_lifetime: 365d, default_lifetime: 90d }\n    clients:",
    );
    let first = test_env.database.url();
    let source = start(&test_env, &settings, &first);
    let mut held = Vec::new();
    for tenant in TENANTS {
        held.push(Held::new(&test_env, &source, tenant).await);
    }
    let file = source.folder.path("moved.db");
    let file = format!("sqlite://{}", file.display());
    killed(&test_env, &source.folder, [&first, &file], ("copying", 0));
    let mut serve = test_env.command(&source.folder, &["serve"]);
    run(serve.env("LATCHKEY__STORAGE__URL", &file)).assert_ends(1, &["is the unfinished copy of 127.0.0.1"]);
    killed(&test_env, &source.folder, [&first, &file], ("the source refuses writes", 0));
    copied(&test_env, &source, [&first, &file]).await;
    source.program.stop();

    let moved = start(&test_env, &settings, &file);
    for held in &mut held {
        held.check(&test_env, &moved).await;
    }
    store_copy(&test_env, &moved.folder, &["--from", &file, "--to", &first])
        .assert_ends(1, &[" was moved to "]);
    run(&mut test_env.command(&moved.folder, &["plan"])).assert_ends(1, &["--take-back"]);
    let ran = store_copy(&test_env, &moved.folder, &["--take-back", "--from", &first]);
    assert!(ran.output().contains("moved.db any longer"));
    store_copy(&test_env, &moved.folder, &["--from", &file, "--to", &first])
        .assert_ends(1, &["is in use: it contains rows that do not come from a copy"]);

    let second = Database::on(&Server::shared());
    copied(&test_env, &moved, [&file, &second.url()]).await;
    moved.program.stop();
    let back = start(&test_env, &settings, &second.url());
    for held in &mut held {
        held.check(&test_env, &back).await;
    }
    back.program.log_after(Mark::START, "serving");
}

/// Settings with `tenants` tenants. Each has one client with a secret, and its own signing key.
fn settings_of(tenants: usize) -> String {
    const HEAD: &str = "\
server: { listeners: [{ address: 127.0.0.1:0 }] }
keys: { sealing_key: { env: LATCHKEY_SEALING_KEY } }
tenants:
";
    (0..tenants).fold(HEAD.to_owned(), |text, number| {
        text + &format!(
            "  t{number}:
    strategies: {{ oauth2: {{ enabled: true }} }}
    signing: {{ algorithm: ES256 }}
    resource_servers: {{ api: {{ scopes: [api:read] }} }}
    clients: {{ svc: {{ client_secret: {{ env: ACME_SECRET }}, audiences: [api], scopes: [api:read] }} }}
"
        )
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn copies_of_a_thousand_tenants_survive_kills() {
    const COUNT: usize = 1_000;
    const PLACES: [(&str, u64); 6] = [
        ("copying", 0),
        ("copying", 10),
        ("copying", 50),
        ("verifying", 0),
        ("comparing", 0),
        ("the source refuses writes", 0),
    ];
    let test_env = TestEnv::new(None);
    let (settings, first) = (settings_of(COUNT), test_env.database.url());
    let secret = test_env.secret_of("acme");
    let source = start(&test_env, &settings, &first);
    let mut tokens = Vec::new();
    for number in 0..COUNT {
        tokens.push(source.program.token(&format!("t{number}"), "svc", secret).await);
    }
    let check = async |replica: &Replica| {
        for (number, token) in tokens.iter().enumerate() {
            let tenant = format!("t{number}");
            let facts = replica.program.introspect(&tenant, "svc", secret, token).await;
            assert_eq!(facts["active"], true, "{tenant}");
            let header = |token: &str| token.split('.').next().unwrap().to_owned();
            let next = replica.program.token(&tenant, "svc", secret).await;
            assert_eq!(header(&next), header(token), "another key signs for {tenant}");
        }
    };
    let files = Folder::with("");
    let second = format!("sqlite://{}", files.path("moved.db").display());
    let third = Database::on(&Server::shared());
    let (mut replica, mut from) = (source, first);
    for to in [second, third.url()] {
        for place in PLACES {
            killed(&test_env, &replica.folder, [&from, &to], place);
        }
        let copied = store_copy(&test_env, &replica.folder, &["--from", &from, "--to", &to]);
        eprintln!("measured: {}", copied.output().lines().next().unwrap());
        let moved = start(&test_env, &settings, &to);
        check(&moved).await;
        (replica, from) = (moved, to);
    }
}
