//! Times of creating, listing and searching through the admin API as the store grows, on
//! SQLite and on PostgreSQL.

use std::time::Duration;

use serde_json::Value;

use super::calls::{Caller, percentile};
use super::program::Program;
use super::tenants::{FILL_SQLITE, client, declared, fill};
use super::test_env::TestEnv;
use crate::workspace::{Failure, read_output, run as run_program};

const DECLARED: u32 = 10;
const CLIENTS: u32 = 10;
const REQUESTS: u32 = 500;

/// A kind of request.
struct Kind {
    name: &'static str,
    method: &'static str,
    status: u16,
    /// Path and body of the request with this number.
    request: fn(&Store, u32) -> (String, String),
}

/// Values that requests use.
struct Store {
    tenants: u32,
    /// The cursor of the next page; empty for the first.
    cursor: String,
}

/// The database of the rows.
#[derive(Clone, Copy)]
pub(super) enum Backend {
    Sqlite,
    Postgres,
}

impl Backend {
    pub(super) const ALL: [Self; 2] = [Self::Sqlite, Self::Postgres];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        }
    }

    /// An empty store of this name.
    pub(super) fn create(self, test_env: &TestEnv<'_>, name: &str) -> Result<String, Failure> {
        match self {
            Self::Sqlite => Ok(format!("sqlite://{}", test_env.file(&format!("{name}.db")).display())),
            Self::Postgres => test_env.create_database(name),
        }
    }

    /// Adds tenants with these numbers to it.
    pub(super) fn fill(
        self,
        test_env: &TestEnv<'_>,
        name: &str,
        first: u32,
        last: u32,
    ) -> Result<(), Failure> {
        match self {
            Self::Sqlite => fill_sqlite(test_env, &test_env.file(&format!("{name}.db")), first, last),
            Self::Postgres => test_env.sql(name, &fill(first, last)).map(drop),
        }
    }
}

const KINDS: [Kind; 7] = [
    Kind {
        name: "create tenant",
        method: "POST",
        status: 201,
        request: |store, number| {
            let id = format!("new-{}-{number}", store.tenants);
            ("/tenants".to_owned(), format!(r#"{{"id":"{id}","name":"New {number}","client":{{}}}}"#))
        },
    },
    Kind {
        name: "create client",
        method: "POST",
        status: 201,
        request: |_, _| ("/api/v1/tenant/declared-1/clients".to_owned(), "{}".to_owned()),
    },
    Kind {
        name: "list",
        method: "GET",
        status: 200,
        request: |store, _| (format!("/tenants?limit=50{}", store.cursor), String::new()),
    },
    Kind {
        name: "search one",
        method: "GET",
        status: 200,
        request: |store, number| {
            let spread = number * (store.tenants / REQUESTS).max(1);
            (format!("/tenants?search=filler+{}", DECLARED + 1 + spread % store.tenants), String::new())
        },
    },
    Kind {
        name: "search all",
        method: "GET",
        status: 200,
        request: |store, _| (format!("/tenants?search=fill{}", store.cursor), String::new()),
    },
    Kind {
        name: "list clients",
        method: "GET",
        status: 200,
        request: |_, number| {
            (format!("/api/v1/tenant/declared-{}/clients?limit=50", number % DECLARED), String::new())
        },
    },
    Kind {
        name: "audit",
        method: "GET",
        status: 200,
        request: |store, _| (format!("/audit?limit=50{}", store.cursor), String::new()),
    },
];

pub(super) fn measure(test_env: &TestEnv<'_>, sizes: &[u32]) -> Result<(), Failure> {
    println!("\nadministration: {REQUESTS} requests of a kind over one connection, p50 / p99 in ms");
    print!("store       tenants");
    KINDS.iter().for_each(|kind| print!("  {:>15}", kind.name));
    println!();
    for backend in Backend::ALL {
        grow(test_env, backend, sizes)?;
    }
    Ok(())
}

fn grow(test_env: &TestEnv<'_>, backend: Backend, sizes: &[u32]) -> Result<(), Failure> {
    let url = backend.create(test_env, "administration")?;
    let (stores, tenants) = (format!("storage: {{ url: '{url}' }}\n"), declared(DECLARED, CLIENTS));
    let token = first_token(test_env, &stores, &tenants)?;
    let mut held = DECLARED;
    for &size in sizes {
        if size > held {
            backend.fill(test_env, "administration", held + 1, size)?;
            held = size;
        }
        let mut program = Program::start(test_env, &stores, &tenants)?;
        program.await_token(&client(0, 0))?;
        print!("{:<10} {held:>8}", backend.name());
        let mut caller = Caller::new(program.address);
        for kind in &KINDS {
            let times = times(&mut caller, &token, kind, held)?;
            let [half, nearly_all] = [50, 99].map(|percent| percentile(times.iter().copied(), percent));
            print!("  {:>15}", format!("{half:.2} / {nearly_all:.2}"));
        }
        println!();
    }
    Ok(())
}

/// The token of the first administrator. It lives for an hour, longer than the measurement.
pub(super) fn first_token(test_env: &TestEnv<'_>, stores: &str, tenants: &str) -> Result<String, Failure> {
    let mut program = Program::start(test_env, stores, tenants)?;
    program.await_token(&client(0, 0))?;
    let config = test_env.file("config.yaml");
    let mut init = test_env.workspace.program(
        &test_env.program.to_string_lossy(),
        &["admin", "init", "--json", "--config", &config.to_string_lossy()],
    );
    let made: Value = parse(&String::from_utf8_lossy(&read_output(&mut init)?))?;
    drop(program);
    let program = Program::start(test_env, stores, tenants)?;
    wait_until_it_listens(&program)?;
    let form = format!(
        "grant_type=client_credentials&client_id={}&client_secret={}&resource=urn:latchkey:admin",
        made["client_id"].as_str().unwrap_or_default(),
        made["secret"]["client_secret"].as_str().unwrap_or_default()
    );
    let (answer, body) = Caller::new(program.address).post_form("/api/v1/tenant/platform/oauth/token", &form);
    match parse(&body)?["access_token"].as_str() {
        Some(token) => Ok(token.to_owned()),
        None => Err(Failure::new(format!("no token for the first administrator: {} {body}", answer.status))),
    }
}

fn wait_until_it_listens(program: &Program) -> Result<(), Failure> {
    for _ in 0..3_000 {
        if Caller::new(program.address).get("/health/live").contains("live") {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    Err(Failure::new("the program does not listen"))
}

fn times(caller: &mut Caller, token: &str, kind: &Kind, tenants: u32) -> Result<Vec<Duration>, Failure> {
    let mut store = Store { tenants, cursor: String::new() };
    let mut times = Vec::new();
    for number in 0..REQUESTS {
        let (path, body) = (kind.request)(&store, number);
        let path = if path.starts_with("/api/") { path } else { format!("/api/v1/admin{path}") };
        let (answer, said) = caller.administer(token, kind.method, &path, &body);
        if answer.status != kind.status {
            return Err(Failure::new(format!("{} {path}: {} {said}", kind.method, answer.status)));
        }
        times.push(answer.took);
        if kind.method == "GET" {
            let next = parse(&said)?["next_cursor"].as_str().map(percent_encoded);
            store.cursor = next.map(|next| format!("&cursor={next}")).unwrap_or_default();
        }
    }
    Ok(times)
}

fn fill_sqlite(test_env: &TestEnv<'_>, file: &std::path::Path, first: u32, last: u32) -> Result<(), Failure> {
    let (file, first, last) = (file.to_string_lossy(), first.to_string(), last.to_string());
    run_program(&mut test_env.workspace.program("python3", &["-c", FILL_SQLITE, &file, &first, &last]))
}

pub(super) fn parse(text: &str) -> Result<Value, Failure> {
    serde_json::from_str(text).map_err(|error| Failure::new(format!("not JSON, {error}: {text}")))
}

fn percent_encoded(text: &str) -> String {
    let one = |byte: u8| match byte {
        b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'-' | b'_' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(one).collect()
}
