//! Tests a connection to PostgreSQL that breaks after a COMMIT was sent and before it was answered: the
//! change was made, but the program does not know. The answer says so, and Repeating the request with the
//! same key returns the first result. The command line repeats automatically, even while PostgreSQL accepts
//! no connections for a while.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use reqwest::Method;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::database::Server;
use crate::host::{Ran, run};
use crate::test_env::{TENANTS, TestEnv, settings};
use crate::test_servers::{LONGEST, eventually};

/// A proxy between programs and PostgreSQL.
#[derive(Clone)]
struct Proxy {
    server: Server,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    /// The transaction that writes this text loses its connection, once.
    cut: Mutex<Option<String>>,
    /// How many new connections are closed after that.
    refusing: AtomicUsize,
    /// All connections. The cut ends them, as a failover does.
    open: Mutex<Vec<TcpStream>>,
}

impl Proxy {
    fn before(server: &Server) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut url = server.0.clone();
        url.set_port(Some(listener.local_addr().unwrap().port())).unwrap();
        let address = (server.0.host_str().unwrap().to_owned(), server.0.port().unwrap());
        let state = Arc::<State>::default();
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for program in listener.incoming().map_while(Result::ok) {
                let is_cut = shared.cut.lock().unwrap().is_none();
                let count = |left: usize| is_cut.then(|| left.checked_sub(1)).flatten();
                if shared.refusing.fetch_update(Ordering::SeqCst, Ordering::SeqCst, count).is_err() {
                    forward(program, TcpStream::connect(&address).unwrap(), &shared);
                }
            }
        });
        Self { server: Server(url), state }
    }

    /// Cuts the connection of the next commit that writes this text. Then this many new connections fail.
    fn cut_after_commit_of(&self, text: &str, refusing: usize) {
        self.state.refusing.store(refusing, Ordering::SeqCst);
        *self.state.cut.lock().unwrap() = Some(text.to_owned());
    }

    /// Asserts that the commit was cut, and that this many connections were refused.
    #[track_caller]
    fn assert_cut(&self) {
        assert!(self.state.cut.lock().unwrap().is_none());
        assert_eq!(self.state.refusing.load(Ordering::SeqCst), 0);
    }
}

fn forward(program: TcpStream, server: TcpStream, state: &Arc<State>) {
    let silent = Arc::new(AtomicBool::new(false));
    state.open.lock().unwrap().push(program.try_clone().unwrap());
    let (mut to, mut from) = (server.try_clone().unwrap(), program.try_clone().unwrap());
    let (shared, state, is_silent) = (Arc::clone(state), Arc::clone(state), Arc::clone(&silent));
    thread::spawn(move || {
        let mut sent = Vec::new();
        pass(&mut from, &mut to, |bytes| {
            sent.extend_from_slice(bytes);
            if has(&sent, b"COMMIT\0") {
                let begin = sent.windows(5).rposition(|part| part == b"BEGIN").unwrap_or_default();
                let mut cut = state.cut.lock().unwrap();
                let is_cut = cut.as_ref().is_some_and(|text| has(&sent[begin..], text.as_bytes()));
                if is_cut && !has(&sent[begin..], b"READ ONLY") {
                    *cut = None;
                    is_silent.store(true, Ordering::SeqCst);
                }
                sent.clear();
            }
            true
        });
    });
    let (mut from, mut to) = (server, program);
    // The answer to the commit closes its connection, and all others.
    thread::spawn(move || {
        pass(&mut from, &mut to, |_| !silent.load(Ordering::SeqCst));
        if silent.load(Ordering::SeqCst) {
            for connection in shared.open.lock().unwrap().drain(..) {
                drop(connection.shutdown(Shutdown::Both));
            }
        }
    });
}

/// Forwards data until the end, or until `look` returns false.
fn pass(from: &mut TcpStream, to: &mut TcpStream, mut look: impl FnMut(&[u8]) -> bool) {
    let mut buffer = [0; 65_536];
    while let Ok(1..) = from.peek(&mut buffer) {
        let read = from.read(&mut buffer).unwrap();
        if !look(&buffer[..read]) || to.write_all(&buffer[..read]).is_err() {
            break;
        }
    }
    for side in [from, to] {
        drop(side.shutdown(Shutdown::Both));
    }
}

fn has(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn repeated_change_after_a_lost_commit_is_done_once() {
    let proxy = Proxy::before(&Server::shared());
    let test_env = TestEnv::on(&proxy.server, None);
    let replica = test_env.start(&settings(1));
    let made = run(&mut test_env.command(&replica.folder, &["admin", "init", "--json"])).json();
    let secret = made["secret"]["client_secret"].as_str().unwrap();
    replica.folder.canaries.add(secret);
    let (client, program) = (made["client_id"].as_str().unwrap(), &replica.program);
    let is_known = async || program.administration_token(client, secret).await.is_ok();
    eventually("the administrator is known", LONGEST, is_known).await;
    let token = program.administration_token(client, secret).await.unwrap();
    replica.folder.canaries.add(&token);

    for tenant in TENANTS {
        // Over HTTP, as an administrator's own client sends requests.
        let send = async |id: &str| {
            let request = program.request(Method::POST, &format!("/api/v1/tenant/{tenant}/clients"));
            let request = request.bearer_auth(&token).header("idempotency-key", "once");
            Answer::to(request.json(&json!({ "client_id": id, "scopes": ["api:read"] }))).await
        };
        let id = format!("cut-{tenant}");
        proxy.cut_after_commit_of(&id, 0);
        // On a busy machine the connections may be opened again too late for a request.
        let unknown = loop {
            let answer = send(&id).await;
            if proxy.state.cut.lock().unwrap().is_none() {
                break answer;
            }
            assert_eq!(answer.status, 503, "{answer:?}");
        };
        assert_eq!((unknown.status, unknown.header("retry-after")), (503, "1"), "{unknown:?}");
        let problem = unknown.json();
        assert_eq!(problem["type"], "urn:latchkey:problem:outcome-unknown");
        let detail = problem["detail"].as_str().unwrap();
        assert!(
            detail.contains("cannot tell whether") && detail.contains("same Idempotency-Key"),
            "{detail}"
        );
        let repeat = async || loop {
            let answer = send(&id).await;
            if answer.status != 503 {
                break answer;
            }
        };
        let [first, second] = [repeat().await, repeat().await];
        assert_eq!((first.status, first.header("idempotency-replayed")), (201, "true"), "{first:?}");
        assert_eq!(first.body, second.body);
        check_made_once(&test_env, &replica.program, tenant, &id, &first.json()).await;

        // The command line repeats the request, with a server and without.
        let url = program.url("");
        for (way, server) in [("http", &["--server", &url] as &[&str]), ("store", &[])] {
            let id = format!("by-{way}-{tenant}");
            proxy.cut_after_commit_of(&id, 5);
            let arguments =
                [&["client", "add", tenant, &id, "--scope", "api:read", "--json"], server].concat();
            let mut command = test_env.command(&replica.folder, &arguments);
            let ran: Ran = run(command.env("LATCHKEY_TOKEN", &token));
            assert!(ran.err.contains("Repeating the request"), "{ran:?}");
            let made = ran.json();
            let is_reached = async || proxy.state.refusing.load(Ordering::SeqCst) == 0;
            eventually("connections are taken again", LONGEST, is_reached).await;
            proxy.assert_cut();
            check_made_once(&test_env, &replica.program, tenant, &id, &made).await;
        }
    }
}

/// The client exists once, with the secret in the answer, and the audit has one record of its creation.
async fn check_made_once(
    test_env: &TestEnv,
    program: &crate::program::Program,
    tenant: &str,
    id: &str,
    made: &Value,
) {
    let secret = made["secret"]["client_secret"].as_str().unwrap();
    for (table, column, kind) in [
        ("clients", "client_id", ""),
        ("client_secrets", "client_id", ""),
        ("audit_records", "subject", " AND action = 'client.added'"),
    ] {
        let count =
            format!("SELECT count(*) FROM {table} WHERE tenant_id = '{tenant}' AND {column} = '{id}'{kind}");
        assert_eq!(test_env.database.query(&count), "1", "{count}");
    }
    let is_served = async || program.request_token(tenant, id, secret).await.status == 200;
    eventually("the client gets tokens with its first secret", LONGEST, is_served).await;
}
