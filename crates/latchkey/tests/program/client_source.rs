//! Tests `latchkey-client` against the program under load: a secret is rotated, the server is killed, and no
//! call may fail.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use latchkey_client::{Secret, SendWith as _, TokenSource};
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::cli::Cli;
use crate::program::Program;
use crate::reload::until_status;
use crate::settings::{TWO_TENANTS, with_line};
use crate::stub_api::StubApi;

/// Calls an API from many tasks until it is stopped.
struct Load {
    ends: Arc<AtomicBool>,
    calls: Arc<AtomicUsize>,
    tasks: JoinSet<()>,
}

impl Load {
    fn start(tokens: &TokenSource, url: &str, callers: usize) -> Self {
        let (ends, calls) = <(Arc<AtomicBool>, Arc<AtomicUsize>)>::default();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let mut tasks = JoinSet::new();
        for _ in 0..callers {
            let (ends, calls, http) = (Arc::clone(&ends), Arc::clone(&calls), http.clone());
            let (tokens, url) = (tokens.clone(), url.to_owned());
            tasks.spawn(async move {
                while !ends.load(Ordering::SeqCst) {
                    let answer = http.get(&url).send_with(&tokens).await.expect("a call gets an answer");
                    assert_eq!(answer.status().as_u16(), 200);
                    calls.fetch_add(1, Ordering::SeqCst);
                    sleep(Duration::from_millis(5)).await;
                }
            });
        }
        Self { ends, calls, tasks }
    }

    /// Returns how many calls succeeded. A failed call fails the test.
    async fn end(mut self) -> usize {
        self.ends.store(true, Ordering::SeqCst);
        while let Some(ended) = self.tasks.join_next().await {
            ended.expect("no call failed");
        }
        self.calls.load(Ordering::SeqCst)
    }
}

fn source(program: &Program, client: &str, secret: Secret) -> TokenSource {
    let builder = TokenSource::builder().token_endpoint(program.url("/api/v1/tenant/acme/oauth/token"));
    builder.client_id(client).credential(secret).scope("api:read").build().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_call_fails_when_a_secret_is_rotated() {
    let (folder, program) = Program::serving(TWO_TENANTS);
    let server = Cli::server(&folder, &program).await;
    let client = ["client", "add", "acme", "worker", "--audience", "api", "--scope", "api:read"];
    server.run(&[&client[..], &["--secret-file", "first.secret"]].concat()).output();
    let first = folder.read("first.secret").trim().to_owned();
    folder.replace("worker.secret", &first);
    until_status(&program, ("acme", "worker", &first), 200).await;

    let tokens = source(&program, "worker", Secret::file(folder.path("worker.secret")));
    let load = Load::start(&tokens, &program.url("/api/v1/protected-resource"), 16);
    sleep(Duration::from_secs(1)).await;
    let before = tokens.cached().expect("a token").expose().to_owned();
    server.run(&["secret", "add", "acme", "worker", "--secret-file", "second.secret"]).output();
    folder.replace("worker.secret", folder.read("second.secret").trim());
    // Revoking a secret also revokes its tokens. Each call in progress is refused, and repeated with another
    // token.
    server.run(&["secret", "revoke", "acme", "worker", "s1", "--yes"]).output();
    until_status(&program, ("acme", "worker", &first), 401).await;
    sleep(Duration::from_secs(1)).await;
    assert_ne!(tokens.cached().expect("a token").expose(), before);
    let calls = load.end().await;
    assert!(calls > 100, "{calls}");
    program.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_call_fails_when_the_server_is_killed() {
    let short = with_line(TWO_TENANTS, "acme", "access_token: { lifetime: 10s }");
    let (folder, program) = Program::serving(&short);
    let address = program.address().to_string();
    let api = StubApi::refusing_first(0);
    let tokens = source(&program, "svc", Secret::value(crate::settings::ACME_SECRET));
    let load = Load::start(&tokens, &api.url(), 4);
    sleep(Duration::from_secs(7)).await;
    let first = tokens.cached().expect("a token");
    program.kill();
    // The renewal is due after 8 to 9 s, when no server runs.
    sleep(Duration::from_secs(2)).await;
    let failing = tokens.status();
    assert!(failing.has_token() && (failing.is_renewing || failing.last_error.is_some()), "{failing:?}");
    let program = Program::spawn(&folder, &mut folder.program(&["serve", "--listen", &address]));
    sleep(Duration::from_secs(4)).await;
    let second = tokens.cached().expect("another token");
    assert_ne!(second.expose(), first.expose());
    let calls = load.end().await;
    assert!(calls > 100, "{calls}");
    let shown = api.tokens();
    assert!(shown.iter().all(|token| token == first.expose() || token == second.expose()));
    program.stop();
}
