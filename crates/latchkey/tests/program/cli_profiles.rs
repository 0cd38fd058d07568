//! Tests profiles: `login`, `token`, `whoami`, `call`, `profiles`, `use`, `logout`, and administration with a
//! profile.

use std::fs;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};
use testkit::free_port;

use protocol::SigningAlgorithm;
use serde_json::{Value, json};

use crate::assertions::{self, Pair};
use crate::cli::{Cli, first_administrator};
use crate::cli_keyring::kept;
use crate::folder::Folder;
use crate::host::{LONGEST, Ran, assert_has, run};
use crate::jwt;
use crate::program::Program;
use crate::settings::{ACME_SECRET, GLOBEX_SECRET, TWO_TENANTS};

/// A user whose home is in the test's folder.
pub(crate) struct User<'a>(pub(crate) &'a Folder);

impl User<'_> {
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_latchkey"));
        command.args(arguments).current_dir(self.0.path(".")).env_clear();
        command.env("HOME", self.0.path("home")).env("PATH", "/usr/bin:/bin");
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        run(&mut self.command(arguments))
    }

    /// Runs `login` as this client of a tenant.
    fn log_in(&self, program: &Program, (tenant, client): (&str, &str), more: &[&str]) -> Ran {
        let server = program.url("");
        let login = ["login", "--server", &server, "--tenant", tenant, "--client-id", client];
        self.run(&[&login[..], more].concat())
    }

    /// Logs in as `svc` of a tenant, with a profile that has the tenant's name.
    #[track_caller]
    pub(crate) fn login(&self, program: &Program, tenant: &str, secret: &str, more: &[&str]) {
        self.0.write_secret("svc.secret", secret);
        let named = ["--profile", tenant, "--client-secret-file", "svc.secret"];
        let ran = self.log_in(program, (tenant, "svc"), &[&named, more].concat());
        self.0.canaries.assert_absent(&ran.out);
        let expected = format!(
            "✓ Authenticated as svc of {tenant}. Tokens are valid for 1h. Current profile: `{tenant}`.\n"
        );
        assert_eq!(ran.output(), expected);
    }
}

/// Waits until the log contains this number of token requests. Then waits a moment for further ones, because
/// a line is written after its answer.
#[track_caller]
fn assert_token_requests(program: &Program, expected: usize) {
    let is_token =
        |line: &&Value| line["route"].as_str().is_some_and(|route| route.ends_with("/oauth/token"));
    let count = || program.log().iter().filter(is_token).count();
    let begun = Instant::now();
    while count() < expected && begun.elapsed() < LONGEST {
        sleep(Duration::from_millis(10));
    }
    sleep(Duration::from_millis(200));
    assert_eq!(count(), expected);
}

#[test]
fn profile_gets_tokens_and_sends_requests() {
    let (folder, program) = Program::serving(TWO_TENANTS);
    let user = User(&folder);
    user.login(&program, "acme", ACME_SECRET, &["--scope", "api:read"]);
    let token = user.run(&["token"]).output();
    assert_eq!(jwt::claims(&token)["client_id"], "svc");
    assert_eq!(user.run(&["token"]).output(), token, "commands share it");
    assert_token_requests(&program, 1);
    let config = "home/.config/latchkey";
    for (name, mode) in [
        (config.to_owned(), 0o700),
        (format!("{config}/profiles.json"), 0o600),
        (format!("{config}/secrets/acme"), 0o600),
        ("home/.cache/latchkey/tokens".to_owned(), 0o700),
    ] {
        assert_eq!(folder.mode(&name), mode, "{name}");
    }
    let profiles = folder.read(&format!("{config}/profiles.json"));
    assert!(!profiles.contains(ACME_SECRET) && !profiles.contains(&token), "{profiles}");
    assert_eq!(folder.read(&format!("{config}/secrets/acme")), ACME_SECRET);
    assert_ne!(user.run(&["token", "--no-cache"]).output(), token);
    assert_ne!(user.run(&["token", "--min-left", "2h"]).output(), token);

    let called = user.run(&["call", "-i", &program.url("/api/v1/protected-resource")]);
    let text = called.output();
    assert!(text.starts_with("HTTP/1.1 200 OK\n"), "{text}");

    let shown = user.run(&["whoami"]).output();
    assert_has(
        &shown,
        &["profile     acme", "client      svc", "scopes      api:read", "token       expires in "],
    );
    let document = user.run(&["whoami", "--json"]).json();
    assert_eq!((&document["tenant"], &document["client_id"]), (&"acme".into(), &"svc".into()));

    let listed = user.run(&["profiles"]).output();
    assert_eq!(listed, format!("* acme: svc at {}\n", program.url("/api/v1/tenant/acme")));
    let gone = user.run(&["logout"]).output();
    assert!(gone.starts_with("Removed profile `acme`"), "{gone}");
    user.run(&["token"]).assert_ends(1, &["error: there is no profile; create one with `latchkey login`\n"]);
    let left: Vec<_> = fs::read_dir(folder.path("home/.cache/latchkey/tokens")).unwrap().flatten().collect();
    assert!(left.iter().all(|file| file.path().extension().unwrap() == "lock"), "{left:?}");
    assert!(!folder.exists("home/.config/latchkey/secrets/acme"));
}

#[test]
fn parallel_commands_make_one_request() {
    let (folder, program) = Program::serving(TWO_TENANTS);
    let user = User(&folder);
    user.login(&program, "acme", ACME_SECRET, &[]);
    assert_token_requests(&program, 1);
    // A request with another scope needs another token, which no command has fetched yet.
    let commands: Vec<_> = (0..20)
        .map(|_| user.command(&["token", "--scope", "api:read"]).stdout(Stdio::piped()).spawn().unwrap())
        .collect();
    let tokens: Vec<_> = commands.into_iter().map(|command| command.wait_with_output().unwrap()).collect();
    assert!(tokens.iter().all(|token| token.status.success() && token.stdout == tokens[0].stdout));
    assert_token_requests(&program, 2);
}

/// With two tenants: each profile has its own token, which is not valid for the other.
#[test]
fn profiles_of_two_tenants_are_separate() {
    let (folder, program) = Program::serving(TWO_TENANTS);
    let user = User(&folder);
    user.login(&program, "acme", ACME_SECRET, &[]);
    user.login(&program, "globex", GLOBEX_SECRET, &[]);
    let issuer =
        |arguments: &[&str]| jwt::claims(&user.run(arguments).output())["iss"].as_str().unwrap().to_owned();
    assert!(issuer(&["token"]).ends_with("/globex"));
    assert!(issuer(&["token", "--profile", "acme"]).ends_with("/acme"));
    assert_eq!(user.run(&["use", "acme"]).output(), "Current profile: `acme`.\n");
    assert!(issuer(&["token"]).ends_with("/acme"));
    // The resource belongs to acme. A token of globex is refused, even after the command has fetched another
    // one.
    user.run(&["call", "--profile", "globex", &program.url("/api/v1/protected-resource")])
        .assert_ends(5, &[]);
    let ran = user.run(&["use", "initech"]);
    assert!(ran.err.contains("there is no profile `initech`"), "{ran:?}");
    user.run(&["logout", "--all"]).output();
    assert_eq!(user.run(&["profiles"]).output(), "No profiles. Create one with `latchkey login`.\n");
}

/// With two tenants: revoking the tokens of one does not affect the other.
#[test]
fn tokens_are_introspected_and_revoked_at_their_server() {
    let (folder, program) = Program::serving(TWO_TENANTS);
    let user = User(&folder);
    user.login(&program, "acme", ACME_SECRET, &[]);
    user.login(&program, "globex", GLOBEX_SECRET, &[]);
    let online = |profile: &str| user.run(&["whoami", "--profile", profile, "--online", "--json"]);
    let is_active = |ran: Ran| (ran.code, ran.document()["introspection"]["active"].as_bool());
    let token = user.run(&["token", "--profile", "acme"]).output();
    let reports = user.run(&["token", "--profile", "acme", "--scope", "api:read"]).output();
    assert_eq!(is_active(online("acme")), (Some(0), Some(true)));
    let shown = user.run(&["whoami", "--profile", "acme", "--online"]).output();
    assert!(shown.ends_with("online      active\n"), "{shown}");

    let gone = user.run(&["logout", "--profile", "acme", "--revoke"]).output();
    assert!(gone.ends_with("its secret and tokens. The tokens are revoked.\n"), "{gone}");
    for token in [token, reports] {
        folder.write("bearer", &format!("header = \"Authorization: Bearer {token}\"\n"));
        let mut curl = Command::new("curl");
        curl.args(["-sS", "--noproxy", "*", "-o", "/dev/null", "-w", "%{http_code}", "-K"])
            .arg(folder.path("bearer"));
        assert_eq!(run(curl.arg(program.url("/api/v1/protected-resource"))).output(), "401");
    }
    assert_eq!(is_active(online("globex")), (Some(0), Some(true)));
    Cli::store(&folder).run(&["client", "revoke-tokens", "globex", "svc"]).output();
    let begun = Instant::now();
    while is_active(online("globex")) != (Some(5), Some(false)) {
        assert!(begun.elapsed() < LONGEST, "the token stays active");
        sleep(Duration::from_millis(100));
    }
    program.stop();
    // If the server does not answer, the profile and its tokens stay.
    for arguments in [&["logout", "--revoke"][..], &["whoami", "--online"]] {
        user.run(arguments).assert_ends(6, &["rejects the client svc in the request about its token"]);
    }
    assert!(user.run(&["token"]).code == Some(0), "the shared token is still there");
    assert!(user.run(&["logout"]).output().contains("stay valid until they expire"));
}

#[test]
fn a_refused_login_stores_nothing() {
    let (folder, program) = Program::serving(TWO_TENANTS);
    let user = User(&folder);
    folder.write_secret("wrong.secret", "wrong-canary-1234");
    let server = program.url("");
    let arguments = ["login", "--server", &server, "--tenant", "acme", "--client-id", "svc"];
    let wrong = [&arguments[..], &["--client-secret-file", "wrong.secret"]].concat();
    let refused = format!(
        "error: {server}/api/v1/tenant/acme issues no token to the client svc\n  because the token endpoint refused the request: invalid_client"
    );
    for store in ["file", "keyring"] {
        let ran = user.run(&[&wrong[..], &["--store", store]].concat());
        assert!(ran.code == Some(5) && ran.err.starts_with(&refused), "{ran:?}");
        folder.canaries.assert_absent(&ran.err);
        assert!(!folder.exists("home/.config") && kept(&folder, "default").is_none());
    }

    for (option, words) in [
        (["--client-secret-env", "UNSET"], "--client-secret-env: the environment variable UNSET is not set"),
        // No option accepts the secret itself.
        (["--client-secret", "x"], "unexpected argument '--client-secret'"),
    ] {
        user.run(&[&arguments[..], &option].concat()).assert_ends(1, &[words]);
    }
    program.stop();
    assert_eq!(user.run(&wrong).code, Some(6));
}

/// The profile stores the command, so an operator can replace the secret in the place that the command reads.
#[test]
fn secret_comes_from_stdin_variable_or_command() {
    let (folder, program) = Program::serving(TWO_TENANTS);
    let user = User(&folder);
    let server = program.url("");
    let login = |option: &[&str]| {
        let login = ["login", "--server", &server, "--tenant", "acme", "--client-id", "svc"];
        user.command(&[&login[..], option].concat())
    };
    folder.write_secret("svc.secret", &format!("{ACME_SECRET}\n"));
    let secret = fs::File::open(folder.path("svc.secret")).unwrap();
    let piped = login(&["--client-secret-file", "-"]).stdin(secret).output().unwrap();
    assert!(piped.status.success(), "{piped:?}");
    run(login(&["--client-secret-env", "MINE"]).env("MINE", ACME_SECRET)).output();

    folder.write_secret("svc secret", "not the secret");
    let by = |command: &str| run(&mut login(&["--client-secret-command", command]));
    let command = format!("cat '{}'", folder.path("svc secret").display());
    by(&command).assert_ends(5, &[]);
    assert_has(&by("cat 'svc secret").err, &["a quote in the command is not closed"]);
    folder.write_secret("svc secret", &format!("{ACME_SECRET}\n"));
    by(&command).output();
    assert!(user.run(&["token", "--no-cache"]).output().starts_with("ey"));
    folder.write_secret("svc secret", "not the secret");
    user.run(&["token", "--no-cache"]).assert_ends(5, &[]);
}

#[tokio::test]
async fn administration_uses_the_profile_of_its_server() {
    let (folder, program) = Program::serving(TWO_TENANTS);
    first_administrator(&folder, &program).await;
    let user = User(&folder);
    let server = program.url("");
    let list = ["tenant", "list", "--server", &server, "--json"];
    user.run(&list).assert_ends(5, &[]);
    user.log_in(&program, ("platform", "admin"), &["--client-secret-file", "admin.secret"]).output();
    for _ in 0..3 {
        assert!(user.run(&list).json()["items"].as_array().unwrap().len() >= 2);
    }
    // The three requests are from the test's helper, from the login, and for the audience of administration.
    assert_token_requests(&program, 3);
    // The command refuses a profile for another server.
    user.run(&["tenant", "list", "--server", "http://localhost:9"]).assert_ends(5, &[]);
    // The option overrides the profile. This client has no access to the administration.
    let options = Cli::as_client(&folder, &program, "acme", "svc", "svc.secret");
    folder.write_secret("svc.secret", ACME_SECRET);
    assert_eq!(run(options.command(&["tenant", "list"]).env("HOME", folder.path("home"))).code, Some(1));
}

#[test]
fn other_programs_read_the_token_formats() {
    let (folder, program) = Program::serving(TWO_TENANTS);
    let user = User(&folder);
    let origin = program.url("");
    user.login(&program, "acme", ACME_SECRET, &["--origin", &origin]);
    let token = user.run(&["token"]).output();
    let latchkey = env!("CARGO_BIN_EXE_latchkey");
    let resource = program.url("/api/v1/protected-resource");
    let shell = |script: &str| {
        let mut bash = Command::new("bash");
        bash.args(["-euo", "pipefail", "-c", script]).env_clear().env("PATH", "/usr/local/bin:/usr/bin:/bin");
        bash.env("HOME", folder.path("home")).env("L", latchkey).env("URL", &resource).env("ORIGIN", &origin);
        bash.env("GIT_TERMINAL_PROMPT", "0");
        run(&mut bash)
    };
    for script in [
        "curl -sS -o /dev/null -w '%{http_code}' -H @<($L token --format header) $URL",
        "$L token --format curl | curl -sS -o /dev/null -w '%{http_code}' -K - $URL",
        "eval \"$($L token --format env)\"; curl -sS -o /dev/null -w '%{http_code}' -H \"Authorization: Bearer $ACCESS_TOKEN\" $URL",
    ] {
        assert_eq!(shell(script).output(), "200", "{script}");
    }
    let git = "printf 'url=%s/repository.git\\n\\n' $ORIGIN | git -c credential.helper= -c credential.helper=\"!$L token --format git\" credential fill";
    assert_has(&shell(git).output(), &[&format!("password={token}\n"), "username=oauth2\n"]);
    // A host that the profile does not name gets no token.
    let elsewhere = shell(&git.replace("$ORIGIN ", "https://git.example.com "));
    assert!(elsewhere.code != Some(0) && !elsewhere.out.contains(&token), "{elsewhere:?}");

    let document = user.run(&["token", "--format", "exec-credential"]).json();
    assert!(document["status"]["expirationTimestamp"].as_str().unwrap().ends_with('Z'));
    assert_eq!(document["apiVersion"], "client.authentication.k8s.io/v1");
    assert_eq!((&document["kind"], &document["status"]["token"]), (&json!("ExecCredential"), &json!(token)));
}

#[test]
fn call_sends_no_token_to_another_origin() {
    let (folder, program) = Program::serving(TWO_TENANTS);
    let user = User(&folder);
    let origin = program.url("");
    user.login(&program, "acme", ACME_SECRET, &["--origin", &origin]);
    for (path, code) in [("/api/v1/protected-resource", 0), ("/no/such/path", 3)] {
        assert_eq!(user.run(&["call", &program.url(path)]).code, Some(code), "{path}");
    }
    for url in ["http://127.0.0.1:9/", "https://example.com/", "http://example.com/"] {
        let ran = user.run(&["call", url]);
        assert!(ran.code == Some(1) && ran.err.contains("does not send its tokens to "), "{url}: {ran:?}");
    }
    let ran = user.run(&["call", "-H", "Authorization: Bearer x", &program.url("/")]);
    assert!(ran.err.contains("the command sets the `authorization` header itself"), "{ran:?}");
}

/// Starts the program at its public URL, which is the audience of assertions and the address in the profile.
pub(crate) fn started_at_public_url(folder: &Folder) -> Program {
    let address = format!("127.0.0.1:{}", free_port());
    let mut serve = folder.program(&["serve", "--listen", &address]);
    Program::spawn(folder, serve.env("LATCHKEY__SERVER__PUBLIC_URL", format!("http://{address}")))
}

/// With two tenants: a key of one is not accepted at the other.
#[tokio::test]
async fn new_key_is_registered_by_its_public_key() {
    let folder = Folder::with(TWO_TENANTS);
    let program = started_at_public_url(&folder);
    let user = User(&folder);
    let administration = Cli::server(&folder, &program).await;
    let new_key = |tenant| {
        let more = ["--profile", tenant, "--new-key", "--scope", "api:read"];
        user.log_in(&program, (tenant, "robot"), &more)
    };
    for tenant in ["acme", "globex"] {
        let ran = new_key(tenant);
        let add = format!("latchkey client add {tenant} robot --auth-method=private_key_jwt --jwks=FILE\n");
        assert_has(&ran.err, &[&add]);
        let jwks = ran.output();
        let private = folder.read(&format!("home/.config/latchkey/secrets/{tenant}"));
        assert!(private.starts_with("-----BEGIN PRIVATE KEY-----\n") && !jwks.contains("\"d\""), "{jwks}");
        folder.write(&format!("{tenant}.jwks.json"), &jwks);
        assert_eq!(user.run(&["token"]).code, Some(5), "the server does not know the key yet");
    }
    let register = |tenant: &str, jwks: &str| {
        let add = ["client", "add", tenant, "robot", "--auth-method", "private_key_jwt", "--jwks", jwks];
        administration.run(&[&add[..], &["--audience", "api", "--scope", "api:read"]].concat()).output();
    };
    let token = |profile: &str| user.run(&["token", "--no-cache", "--profile", profile]);
    register("acme", "acme.jwks.json");
    register("globex", "acme.jwks.json");
    assert_eq!(jwt::claims(&token("acme").output())["client_id"], "robot");
    token("globex").assert_ends(5, &[]);
    new_key("acme").assert_ends(1, &["profile `acme` already exists and would lose its credential"]);
    assert_eq!(token("acme").code, Some(0));
    program.stop();
}

#[test]
fn profile_authenticates_with_a_private_key() {
    let pair = Pair::generate(SigningAlgorithm::ES256);
    let jwks = json!({ "keys": [pair.key.jwk] }).to_string();
    let folder = Folder::with(&assertions::settings([&format!("jwks: {jwks}"), &format!("jwks: {jwks}")]));
    let program = started_at_public_url(&folder);
    let user = User(&folder);
    folder.write("signer.pem", &pair.pem());
    let server = program.url("");
    let jwk = serde_json::to_value(&pair.key.jwk).unwrap();
    let (kid, issuer) = (jwk["kid"].as_str().unwrap(), program.url("/api/v1/tenant/acme"));
    for (profile, arguments) in
        [("tenant", &["--server", &server, "--tenant", "acme"][..]), ("issuer", &["--issuer", &issuer])]
    {
        let login =
            ["login", "--profile", profile, "--client-id", "signer", "--key", "signer.pem", "--key-id", kid];
        let ran = user.run(&[&login[..], arguments].concat());
        folder.canaries.assert_absent(&ran.out);
        ran.output();
        let token = user.run(&["token", "--no-cache"]).output();
        assert_eq!(jwt::claims(&token)["client_id"], "signer");
    }
    let profiles = folder.read("home/.config/latchkey/profiles.json");
    folder.canaries.assert_absent(&profiles);
    program.stop();
}
