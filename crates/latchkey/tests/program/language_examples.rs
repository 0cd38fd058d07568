//! Runs the examples of callers and of APIs in `docs/examples`, each in its folder as printed, with the
//! addresses of a program of the test. Another tenant has the same names as the example's.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use protocol::SigningAlgorithm;
use serde_json::json;

use crate::assertions::Pair;
use crate::folder::Folder;
use crate::foreign::{example, pointed, run_example, run_in};
use crate::host::{LONGEST, Ran, parsed};
use crate::person::{Browser, EMAIL, after, code_in};
use crate::program::Program;
use crate::running::tenant_path;
use crate::settings::{generated, own_address};
use crate::stub_api::StubApi;
use crate::two_providers::{ProviderTenant, REDIRECT_URI};

const PRINTED_BASE: &str = "http://localhost:3000";
const PRINTED_API: &str = "http://localhost:3000/api/v1/protected-resource";
const PRINTED_JWKS: &str = "http://localhost:3000/api/v1/tenant/globex/.well-known/jwks.json";

/// A program whose public URL is its own address, so that its issuers are valid in the examples.
struct Env {
    folder: Folder,
    url: String,
    secrets: [String; 2],
}

impl Env {
    fn new() -> Self {
        let ((url, server), secrets) = (own_address(), [generated(), generated()]);
        let tenant = |secret: &str| {
            format!(
                "{{ strategies: {{ oauth2: {{ enabled: true }}, oidc: {{ enabled: true }} }}, resource_servers: {{ orders-api: {{ scopes: ['orders:read', 'orders:write'] }} }}, \
                 clients: {{ shipping: {{ client_secret: {{ value: {secret} }}, audiences: [orders-api], scopes: ['orders:read'] }}, \
                 billing: {{ client_secret: {{ value: {secret} }}, audiences: [orders-api], scopes: ['orders:write'] }}, \
                 web: {{ client_secret: {{ value: {secret} }}, audiences: [orders-api], scopes: [openid, 'orders:read'], first_party: true, \
                 grant_types: [authorization_code], redirect_uris: ['{REDIRECT_URI}'] }} }}, \
                 accounts: {{ ada: {{ email: {EMAIL}, password: {{ value: {secret} }} }} }} }}"
            )
        };
        let [globex, initech] = secrets.each_ref().map(|secret| tenant(secret));
        let folder = Folder::with(&format!(
            "{server}protected_resource: {{ tenant: globex, audience: orders-api, required_scope: 'orders:read' }}\n\
             tenants:\n  globex: {globex}\n  initech: {initech}\n"
        ));
        Self { folder, url, secrets }
    }

    fn start(&self) -> Program {
        Program::start(&self.folder)
    }

    /// The access token of the person of `globex` for the API.
    async fn token_of_person(&self) -> String {
        let secret = || self.secrets[0].clone();
        let tenant = ProviderTenant {
            id: "globex",
            name: "Ada",
            issuer: format!("{}{}", self.url, tenant_path("globex", "")),
            secret: secret(),
            password: secret(),
            eves_password: String::new(),
            key: Pair::generate(SigningAlgorithm::ES256),
        };
        let mut browser = Browser::new(&self.url, &tenant);
        let page = browser.authorize_for("openid orders:read").await;
        let done = browser.sign_in(&page, EMAIL, &tenant.password).await;
        let code = code_in(&after(&done, "content=\"0;url="));
        let tokens = browser.tokens("authorization_code", "code", &code).await.json();
        tokens["access_token"].as_str().unwrap().to_owned()
    }

    fn example(&self, name: &str) -> String {
        pointed(&example(name), &[(PRINTED_BASE, &self.url)])
    }

    /// The text of an example that calls this API instead of the protected resource.
    fn calling(&self, text: &str, api: &str) -> String {
        pointed(text, &[(PRINTED_API, api), (PRINTED_BASE, &self.url)])
    }
}

fn assert_called(ran: &Ran) {
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let answer = parsed(ran.out.trim().lines().next().unwrap_or_default());
    let caller = (&answer["tenant"], &answer["caller"]["client_id"]);
    assert_eq!(caller, (&json!("globex"), &json!("shipping")), "{ran:?}");
}

#[test]
fn each_language_calls_the_resource_with_a_token() {
    let env = Env::new();
    let _program = env.start();
    for name in [
        "js/token.mjs",
        "python/fetch_token.py",
        "go/token.go",
        "java/FetchToken.java",
        "php/fetch_token.php",
        "ruby/fetch_token.rb",
    ] {
        let text = env.example(name);
        assert_called(&run_example(name, &text, &[("CLIENT_SECRET", &env.secrets[0])]));
        // The secret belongs to the client with the same name in the other tenant.
        let ran = run_example(name, &text, &[("CLIENT_SECRET", &env.secrets[1])]);
        assert!(!ran.out.contains("Protected resource data"), "{ran:?}");
    }
}

/// Each example ends with one call. The test adds two more calls, or the lines for them.
#[test]
fn each_language_reuses_tokens_and_replaces_rejected_ones() {
    let env = Env::new();
    let _program = env.start();
    let (js, py, golang) = ("js/call.mjs", "python/call.py", "go/call.go");
    let more = |name: &str, api: &str| {
        let text = example(name);
        match name {
            _ if name == js => text + &format!("await Promise.all([1, 2].map(() => call(\"{api}\")));\n"),
            _ if name == py => text + &format!("for _ in range(2):\n    api.get(\"{api}\", timeout=10)\n"),
            _ => text.replace(
                "\tdefer answer.Body.Close()\n",
                &format!("\tdefer answer.Body.Close()\n\tfor i := 0; i < 2; i++ {{\n\t\tif again, err := api.Get(\"{api}\"); err == nil {{\n\t\t\tagain.Body.Close()\n\t\t}}\n\t}}\n"),
            ),
        }
    };
    for name in [js, py, golang] {
        let environment = [("CLIENT_SECRET", env.secrets[0].as_str())];
        assert_called(&run_example(name, &env.example(name), &environment));
        let api = StubApi::refusing_first(1);
        let ran = run_example(name, &env.calling(&more(name, PRINTED_API), &api.url()), &environment);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        let tokens = api.tokens();
        let [rejected, repeated, rest @ ..] = tokens.as_slice() else { panic!("{tokens:?}: {ran:?}") };
        assert_ne!(rejected, repeated, "the repetition has a new token");
        assert!(rest.len() == 2 && rest.iter().all(|token| token == repeated), "{tokens:?}");
        // A second refusal is returned to the caller: no request is repeated twice.
        let api = StubApi::refusing_first(usize::MAX);
        run_example(name, &env.calling(&example(name), &api.url()), &environment);
        assert_eq!(api.tokens().len(), 2);
    }
}

#[tokio::test]
async fn each_language_verifies_tokens_of_its_tenant_only() {
    let env = Env::new();
    let program = env.start();
    let token = async |tenant: &str, client: &str, secret: &str| program.token(tenant, client, secret).await;
    let good = token("globex", "shipping", &env.secrets[0]).await;
    let foreign = token("initech", "shipping", &env.secrets[1]).await;
    let without_scope = token("globex", "billing", &env.secrets[0]).await;
    let changed = format!("{}AAAA", &good[..good.len() - 4]);
    let of_person = env.token_of_person().await;
    for (token, accepted) in [
        (&good, Some("accepted: a service")),
        (&of_person, Some("accepted: a person")),
        (&foreign, None),
        (&without_scope, None),
        (&changed, None),
    ] {
        for (name, files) in [
            ("js/verify.mjs", "js/verify.mjs"),
            ("python/verify.py", "python/verify.py"),
            ("go/verify.go", "go/verify.go accept.go"),
        ] {
            let ran = run_example(files, &env.example(name), &[("TOKEN", token.as_str())]);
            let out = Some(ran.out.trim()).filter(|out| !out.is_empty());
            assert_eq!((ran.code == Some(0), out), (accepted.is_some(), accepted), "{ran:?}");
        }
    }
}

/// A server with one document, until the test makes it unavailable.
struct Document {
    url: String,
    is_away: Arc<AtomicBool>,
}

impl Document {
    fn serve(body: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/jwks.json", listener.local_addr().unwrap());
        let is_away = Arc::new(AtomicBool::new(false));
        let away = Arc::clone(&is_away);
        thread::spawn(move || {
            for mut connection in listener.incoming().map_while(Result::ok) {
                let mut head = [0; 4096];
                let _ = connection.read(&mut head);
                if String::from_utf8_lossy(&head).starts_with("POST /away") {
                    away.store(true, Ordering::SeqCst);
                }
                let (status, body) = if away.load(Ordering::SeqCst) {
                    ("503 Service Unavailable", "")
                } else {
                    ("200 OK", &*body)
                };
                let length = body.len();
                let _ = write!(
                    connection,
                    "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
                );
            }
        });
        Self { url, is_away }
    }
}

#[tokio::test]
async fn cached_keys_serve_an_outage_for_an_hour() {
    let env = Env::new();
    let program = env.start();
    let token = program.token("globex", "shipping", &env.secrets[0]).await;
    let jwks = program.jwks("globex").await.body;
    let environment = [("TOKEN", token.as_str())];
    let js = "
await fetch(AWAY, { method: 'POST' });
await fetchKeys();
await verify(process.env.TOKEN);
console.log('after an outage');
const later = Date.now() + 3_700_000;
Date.now = () => later;
await verify(process.env.TOKEN).catch((error) => console.log(error.message.slice(0, 3)));
";
    let served = Document::serve(jwks.clone());
    let at =
        |name: &str, url: &str| pointed(&example(name), &[(PRINTED_JWKS, url), (PRINTED_BASE, &env.url)]);
    let away = served.url.replace("/jwks.json", "/away");
    let script = at("js/verify.mjs", &served.url) + &js.replace("AWAY", &format!("'{away}'"));
    let ran = run_example("js/verify.mjs", &script, &environment);
    assert_eq!(ran.output(), "accepted: a service\nafter an outage\n503\n");
    assert!(served.is_away.load(Ordering::SeqCst));

    let served = Document::serve(jwks);
    let away = served.url.replace("/jwks.json", "/away");
    let more = format!(
        "
import urllib.error, urllib.request
try:
    urllib.request.urlopen(urllib.request.Request('{away}', data=b''))
except urllib.error.HTTPError:
    pass
begun = time.monotonic()
for minutes, word in [(6, 'after an outage'), (59, 'after a long outage'), (61, 'never')]:
    time.monotonic = lambda: begun + 60 * minutes
    try:
        verify(os.environ['TOKEN'])
        print(word)
    except jwt.PyJWKClientConnectionError as error:
        print(str(error)[:3])
"
    );
    let script = at("python/verify.py", &served.url) + &more;
    let ran = run_example("python/verify.py", &script, &environment);
    assert_eq!(ran.output(), "accepted: a service\nafter an outage\nafter a long outage\n503\n");
    assert!(served.is_away.load(Ordering::SeqCst));
}

#[test]
fn job_reads_its_secret_file_and_reports_failures() {
    let env = Env::new();
    let _program = env.start();
    env.folder.write("secret", &format!("{}\n", env.secrets[0]));
    let file = env.folder.path("secret").display().to_string();
    let job = |text: &str| run_example("cron/job.py", text, &[("CLIENT_SECRET_FILE", &file)]);
    let ran = job(&env.example("cron/job.py"));
    assert_called(&ran);
    assert_eq!(ran.out.lines().count(), 3, "{ran:?}");
    // The whole run uses one token.
    let api = StubApi::refusing_first(0);
    assert_eq!(job(&env.calling(&example("cron/job.py"), &api.url())).code, Some(0));
    let tokens = api.tokens();
    assert!(tokens.len() == 3 && tokens.iter().all(|token| *token == tokens[0]), "{tokens:?}");
    env.folder.write("secret", &env.secrets[1]);
    let refused = job(&env.example("cron/job.py"));
    refused.assert_ends(1, &[]);
    let says_why = refused.err.starts_with("the job failed: ");
    assert!(says_why && !refused.err.contains(&env.secrets[1]), "{refused:?}");
}

#[test]
fn device_keeps_its_token_until_it_is_revoked() {
    let env = Env::new();
    let state = env.folder.path("device");
    std::fs::create_dir(&state).unwrap();
    env.folder.write("device/secret", &env.secrets[0]);
    env.folder.write("device.sh", &env.example("device/device.sh"));
    let device = |script: &str| {
        let mut sh = Command::new("sh");
        sh.arg(env.folder.path(script)).env("STATE", &state);
        run_in(&mut sh, &state, LONGEST)
    };
    // No server listens when the device starts.
    let program = thread::scope(|scope| {
        let waiting = scope.spawn(|| device("device.sh"));
        let since = Instant::now();
        thread::sleep(Duration::from_millis(1500));
        let program = env.start();
        assert_called(&waiting.join().unwrap());
        assert!(since.elapsed() > Duration::from_millis(1500));
        program
    });
    let kept = env.folder.read("device/token");
    assert_eq!(env.folder.mode("device/token"), 0o600);
    // The next start uses the same token. After the API rejects a token, the device fetches a new one.
    assert_called(&device("device.sh"));
    assert_eq!(env.folder.read("device/token"), kept);
    let api = StubApi::refusing_first(1);
    env.folder.write("other.sh", &env.calling(&example("device/device.sh"), &api.url()));
    let ran = device("other.sh");
    assert_eq!((ran.code, api.tokens().len()), (Some(0), 2), "{ran:?}");
    assert_ne!(env.folder.read("device/token"), kept);
    // If the clock was set back, the token is from the future.
    let (_, rest) = kept.split_once(' ').unwrap();
    env.folder.write("device/token", &format!("99999999999 {rest}"));
    assert_called(&device("device.sh"));
    assert!(!env.folder.read("device/token").starts_with("99999999999"));
    // The device uses its token while the server is unavailable, as long as the API accepts the token.
    program.kill();
    let api = StubApi::refusing_first(0);
    env.folder.write("other.sh", &env.calling(&example("device/device.sh"), &api.url()));
    assert_eq!(device("other.sh").code, Some(0));
    assert_eq!(api.tokens().len(), 1);
}
