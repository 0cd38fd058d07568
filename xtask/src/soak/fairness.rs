//! One tenant uses ten times its share of the shared resources while another does its ordinary work. Measures
//! the p99 of that work, compared with the p99 on an idle server, and its failures, which must be none.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use super::calls::{Answer, Caller, Pace, load, percentile};
use super::program::{HOST, Program};
use super::sign_in_times::Form;
use super::tenants::{Client, SECRET, client, declared};
use super::test_env::TestEnv;
use crate::workspace::Failure;

/// The tenant with ordinary work, and the one that floods.
const TENANTS: u32 = 2;
const FLOODING: u32 = 1;
const CLIENTS: u32 = 8;
/// The rate of ordinary work: far below the capacity of a worker.
const PER_SECOND: u32 = 100;
/// The connections of the flood, each of which sends the next request as soon as it has the answer: ten times
/// those of the ordinary work's share of a worker.
const CONNECTIONS: u32 = 160;
const WARM_UP: Duration = Duration::from_secs(2);
const LENGTH: Duration = Duration::from_secs(10);
/// A p99 below this multiple of the quiet one is fair.
const MOST: f64 = 3.0;

/// A flood, and one of its requests.
type Flood = (&'static str, fn(&mut Connection, usize) -> Answer);

/// One of the connections of a flood.
struct Connection {
    caller: Caller,
    client: Client,
    /// A header. Each source has the connections of few: a proxy names it.
    source: String,
}

/// The issuer of the rules, and the beginning of their subjects.
const ISSUER: &str = "https://ci.example";
const SUBJECT: &str = "org:";

const FLOODS: [Flood; 8] = [
    ("tokens (admission)", |connection, _| connection.token(None, SECRET).0),
    ("wrong chosen secrets (hash threads)", |connection, number| {
        connection.token(None, &format!("wrong-{number}")).0
    }),
    ("unknown clients (look-ups)", |connection, number| {
        connection.token(Some(&format!("nobody-{number}")), SECRET).0
    }),
    ("introspections", |connection, _| connection.send("introspect", "token=unknown")),
    ("revocations, each of a new token", |connection, _| {
        let (answer, body) = connection.token(None, SECRET);
        let token = body.split('"').skip_while(|part| *part != "access_token").nth(2);
        match token {
            Some(token) => connection.send("revoke", &format!("token={token}")),
            None => answer,
        }
    }),
    ("pushed requests", |connection, _| {
        let form =
            "response_type=code&scope=openid&redirect_uri=http://127.0.0.1:3001/callback&client_id=web";
        let form = format!("{form}&client_secret={SECRET}");
        connection.caller.send_form(&connection.path("par"), &connection.source, &form).0
    }),
    ("assertions of strangers, 90 clients with the worst rules", |connection, number| {
        let claims = format!(
            r#"{{"iss":"{ISSUER}","sub":"{SUBJECT}{}{number}","aud":"x","exp":4102444800,"jti":"{number}"}}"#,
            "a".repeat(1_000)
        );
        let [header, claims] =
            [r#"{"alg":"RS256"}"#, &claims].map(|part| BASE64_URL_SAFE_NO_PAD.encode(part));
        let form = format!(
            "grant_type=client_credentials&client_assertion={header}.{claims}.AAAA&client_assertion_type=\
             urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        );
        connection.caller.send_form(&connection.path("token"), &connection.source, &form).0
    }),
    ("sign-in forms of unknown people", |connection, number| {
        let Ok(Form { flow, cookies }) = Form::of_page(&mut connection.caller, &connection.client.tenant)
        else {
            // The page was refused.
            return connection.token(None, SECRET).0;
        };
        let headers = format!("Origin: http://{HOST}\r\nCookie: {cookies}\r\n{}", connection.source);
        let form =
            format!("flow={flow}&identifier=nobody-{number}%40example.com&password=a+guess+of+a+stranger");
        connection.caller.send_form(&connection.path("sign-in"), &headers, &form).0
    }),
];

pub(super) fn measure(test_env: &TestEnv<'_>) -> Result<(), Failure> {
    let stores = format!("storage: {{ url: 'sqlite://{}' }}\n", test_env.file("fairness.db").display());
    // The last one, which floods, has a client that signs people in.
    let tenants = declared(TENANTS, CLIENTS)
        .replace("oauth2: { enabled: true }", "oauth2: { enabled: true }, oidc: { enabled: true }");
    let web = format!(
        "      web: {{ client_secret: {{ value: {SECRET} }}, grant_types: [authorization_code], first_party: true, require_pkce: false, \
         redirect_uris: ['http://127.0.0.1:3001/callback'], scopes: [openid] }}\n"
    );
    let settings = tenants + &web + &worst_rules();
    let mut program = Program::start(test_env, &stores, &settings)?;
    program.await_token(&client(0, 0))?;
    let quiet_clients: Vec<_> = (0..CLIENTS).map(|number| client(0, number)).collect();
    let ordinary = |meanwhile: &dyn Fn()| {
        load(program.address, &quiet_clients, Pace::PerSecond(PER_SECOND), meanwhile).0
    };
    ordinary(&|| thread::sleep(WARM_UP));
    let quiet = p99(&ordinary(&|| thread::sleep(LENGTH)));
    println!(
        "\nfairness: tokens of one tenant, {PER_SECOND} a second, while another floods over {CONNECTIONS} connections"
    );
    println!(
        "flood                                              requests   tokens   p99, ms / quiet  failed"
    );
    println!("{:<48} {:>10} {:>8} {quiet:>9.2}", "none", "", "");
    let mut unfair = Vec::new();
    for (what, send) in FLOODS {
        let sent = AtomicUsize::new(0);
        let answers = ordinary(&|| flood(program.address, send, &sent));
        let failed = answers.iter().filter(|answer| answer.status != 200).count();
        let ratio = p99(&answers) / quiet;
        println!(
            "{what:<48} {:>10} {:>8} {:>9.2} {ratio:>7.2} {failed:>7}",
            sent.into_inner(),
            answers.len(),
            p99(&answers)
        );
        if failed > 0 || ratio >= MOST {
            unfair.push(what);
        }
    }
    if unfair.is_empty() {
        Ok(())
    } else {
        Err(Failure::new(format!(
            "a tenant slows another (more than {MOST} times, or failures): {}",
            unfair.join(", ")
        )))
    }
}

/// Clients for which a stranger's subject is compared with as much as rules may cost.
fn worst_rules() -> String {
    let part = "a".repeat(100);
    let rule = |nth| format!("{{ issuer: '{ISSUER}', subject: '{SUBJECT}**{part}**{part}**{nth}**' }}");
    let client = |nth: u32| {
        let rules: Vec<_> = (0..20).map(|rule_nth| rule(20 * nth + rule_nth)).collect();
        format!("      worst-{nth}: {{ federated: [{}] }}\n", rules.join(", "))
    };
    (0..90).map(client).collect()
}

/// Sends requests over all connections until the time is over, and counts them.
fn flood(address: SocketAddr, send: fn(&mut Connection, usize) -> Answer, sent: &AtomicUsize) {
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        for number in 0..CONNECTIONS {
            let stop = &stop;
            let mut connection = Connection {
                caller: Caller::new(address),
                client: client(FLOODING, number % CLIENTS),
                source: format!("X-Forwarded-For: 10.0.0.{}\r\n", number % 16),
            };
            scope.spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    let answer = send(&mut connection, sent.fetch_add(1, Ordering::Relaxed));
                    // A client that must wait before its next request waits, but not as long as demanded.
                    if answer.has_retry_after {
                        thread::sleep(Duration::from_millis(20));
                    }
                }
            });
        }
        thread::sleep(LENGTH);
        stop.store(true, Ordering::Relaxed);
    });
}

impl Connection {
    /// Requests a token, as the client of this connection or as another.
    fn token(&mut self, client: Option<&str>, secret: &str) -> (Answer, String) {
        let client = client.unwrap_or(&self.client.id);
        let form = format!("grant_type=client_credentials&client_id={client}&client_secret={secret}");
        self.caller.send_form(&self.path("token"), &self.source, &form)
    }

    fn send(&mut self, endpoint: &str, form: &str) -> Answer {
        let form = format!("{form}&client_id={}&client_secret={SECRET}", self.client.id);
        self.caller.send_form(&self.path(endpoint), &self.source, &form).0
    }

    fn path(&self, endpoint: &str) -> String {
        format!("/api/v1/tenant/{}/oauth/{endpoint}", self.client.tenant)
    }
}

fn p99(answers: &[Answer]) -> f64 {
    percentile(answers.iter().map(|answer| answer.took), 99)
}
