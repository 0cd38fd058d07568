//! Tests the matrix of fairness, in addition to the matrix of isolation. For each thing that tenants share,
//! globex uses ten times its share, from the address of acme's callers. At the same time acme does its
//! ordinary work, and none of its requests may fail.

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use protocol::JWT_BEARER;
use reqwest::header::{COOKIE, ORIGIN, SET_COOKIE};
use reqwest::{Client, Method, redirect};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::answer::Answer;
use crate::folder::Folder;
use crate::person::after;
use crate::program::Program;
use crate::running::tenant_path;
use crate::settings::own_address;

const REDIRECT_URI: &str = "http://127.0.0.1:9/callback";
const PASSWORD: &str = "a-canary-of-people-5b1e";
const SECRET: &str = "a-chosen-canary-77c2";
/// Clients of each tenant. Checking a client's chosen secret for the first time costs a hash.
const CLIENTS: usize = 24;
/// People of globex with hashes from another system. Even on a fast processor, checking all hashes twice
/// takes longer than a check may wait.
const IMPORTED: usize = 18;
/// A hash of another password, with the default parameters of bcrypt.
const BCRYPT: &str = "$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW";
/// How many requests of globex are in progress at the same time.
const AT_ONCE: usize = 48;
/// The least number of rounds of acme's work during each flood.
const ROUNDS: usize = 2;

/// A running program with two equal tenants.
struct Shared {
    folder: Folder,
    program: Program,
    http: Client,
    /// A counter for values that must be different each time.
    last: AtomicUsize,
}

type Sent = Pin<Box<dyn Future<Output = Answer> + Send>>;

/// The work of globex: the number of new requests, and statuses that some of them must get. They include the
/// status of a limit, to prove that the flood has exceeded its share.
type Flood = (&'static str, usize, &'static [u16], fn(Arc<Shared>, usize) -> Sent);

/// One row for each shared thing that requests use. Some shared things can only be filled in their own crate,
/// which tests them (docs/ARCHITECTURE.md).
const FLOODS: [Flood; 9] = [
    ("hash threads", 120, &[401], |shared, number| {
        let client = format!("svc-{}", number % CLIENTS);
        Box::pin(async move { shared.token("globex", &client, &format!("wrong-{number}")).await })
    }),
    ("imported hashes", 2 * IMPORTED, &[403, 503], |shared, number| {
        let person = format!("imported-{}@example.com", number % IMPORTED);
        Box::pin(async move { shared.sign_in("globex", &person, "not the password").await.0 })
    }),
    ("codes", 60, &[200, 403], |shared, _| {
        Box::pin(async move { shared.sign_in("globex", "ada@example.com", PASSWORD).await.0 })
    }),
    ("sign-in attempts", 60, &[403], |shared, number| {
        let person = format!("nobody-{number}@example.com");
        Box::pin(async move { shared.sign_in("globex", &person, "not the password").await.0 })
    }),
    ("negative look-ups and store connections", 500, &[401], |shared, number| {
        let client = format!("nobody-{number}");
        Box::pin(async move { shared.token("globex", &client, SECRET).await })
    }),
    ("admission", 1_500, &[200], |shared, _| {
        Box::pin(async move { shared.token("globex", "svc-0", SECRET).await })
    }),
    ("revocations", 200, &[200], |shared, _| {
        Box::pin(async move {
            let answer = shared.token("globex", "svc-0", SECRET).await;
            if answer.status != 200 {
                return answer;
            }
            let token = answer.token();
            shared.post("globex", "/oauth/revoke", &[("token", &token)]).await
        })
    }),
    ("introspections", 500, &[200], |shared, _| {
        Box::pin(async move { shared.post("globex", "/oauth/introspect", &[("token", "unknown")]).await })
    }),
    ("pushed requests", 400, &[201, 429], |shared, _| {
        Box::pin(async move { shared.post("globex", "/oauth/par", &authorization("spa")).await })
    }),
];

// [shared 2]
#[tokio::test(flavor = "multi_thread")]
async fn flood_of_one_tenant_does_not_fail_the_other() {
    let shared = Arc::new(Shared::start());
    shared.import("globex");
    ordinary_work(&shared).await;
    for (what, count, expected, send) in FLOODS {
        let flood = tokio::spawn(flood(Arc::clone(&shared), count, send));
        let mut rounds = 0;
        while rounds < ROUNDS || !flood.is_finished() {
            ordinary_work(&shared).await;
            rounds += 1;
        }
        let statuses = flood.await.unwrap();
        assert_eq!(statuses.len(), count, "{what}");
        let answered = BTreeSet::from_iter(statuses);
        let is_expected = expected.iter().all(|status| answered.contains(status));
        assert!(is_expected && !answered.contains(&500), "{what}: {answered:?}");
        eprintln!("{what}: {count} requests of globex, {rounds} rounds of acme");
    }
    // People of globex must wait, because this many accounts were tried from their address.
    assert_eq!(shared.sign_in("globex", "ada@example.com", PASSWORD).await.0.status, 403);
}

/// An unsigned assertion with this subject.
fn unsigned(subject: &str) -> String {
    let part = |value: Value| BASE64URL.encode(value.to_string());
    let claims = json!({ "iss": ISSUER, "sub": subject, "aud": "x", "exp": 4_102_444_800_u64 });
    format!("{}.{}.{}", part(json!({ "alg": "ES256" })), part(claims), BASE64URL.encode([0; 64]))
}

const ISSUER: &str = "https://issuer.example.com";

// [third 2]
/// A stranger sends 200 assertions a second to globex without waiting for answers. Acme must still be served.
#[tokio::test(flavor = "multi_thread")]
async fn assertions_of_strangers_do_not_stop_other_tenants() {
    let shared = Arc::new(Shared::start());
    ordinary_work(&shared).await;
    let stranger = tokio::spawn({
        let shared = Arc::clone(&shared);
        async move {
            let mut under_way = JoinSet::new();
            let mut due = tokio::time::interval(std::time::Duration::from_millis(5));
            for number in 0..400 {
                due.tick().await;
                let shared = Arc::clone(&shared);
                under_way.spawn(async move {
                    // The path in a subject does not matter for the rules. It makes each subject new to every
                    // cache.
                    let assertion = unsigned(&format!("org:{}{number}c", "a".repeat(1_000)));
                    let form = [
                        ("grant_type", "client_credentials"),
                        ("client_assertion_type", JWT_BEARER),
                        ("client_assertion", &*assertion),
                    ];
                    shared.send(("globex", "/oauth/token"), &form, "").await.status
                });
            }
            under_way.join_all().await
        }
    });
    let mut rounds = 0;
    while rounds < ROUNDS || !stranger.is_finished() {
        ordinary_work(&shared).await;
        rounds += 1;
    }
    let statuses = BTreeSet::from_iter(stranger.await.unwrap());
    assert!(statuses.is_subset(&[401, 429, 503].into()) && statuses.contains(&401), "{statuses:?}");
}

async fn flood(shared: Arc<Shared>, count: usize, send: fn(Arc<Shared>, usize) -> Sent) -> Vec<u16> {
    let (mut under_way, mut statuses) = (JoinSet::new(), Vec::with_capacity(count));
    for number in 0..count {
        if under_way.len() == AT_ONCE {
            statuses.extend(under_way.join_next().await.map(Result::unwrap));
        }
        let sent = send(Arc::clone(&shared), number);
        under_way.spawn(async move { sent.await.status });
    }
    statuses.extend(under_way.join_all().await);
    statuses
}

/// The requests of a service and a person at acme. Each must succeed at the first attempt.
async fn ordinary_work(shared: &Shared) {
    let client = format!("svc-{}", shared.number() % CLIENTS);
    for client in [&*client, "svc-0"] {
        let token = shared.token("acme", client, SECRET).await.token();
        let form = [("token", &*token), ("client_id", client), ("client_secret", SECRET)];
        let introspected = shared.send(("acme", "/oauth/introspect"), &form, "").await;
        assert!(introspected.status == 200 && introspected.json()["active"] == true, "{introspected:?}");
    }
    let keys = shared.send(("acme", "/.well-known/jwks.json"), &[], "").await;
    assert_eq!(keys.status, 200, "{keys:?}");
    let form = [authorization("web"), vec![("client_secret", SECRET)]].concat();
    let pushed = shared.post("acme", "/oauth/par", &form).await;
    assert_eq!(pushed.status, 201, "a pushed request: {pushed:?}");
    let (signed_in, _) = shared.sign_in("acme", "ada@example.com", PASSWORD).await;
    assert_eq!(signed_in.status, 200, "a sign-in: {signed_in:?}");
    let wrong = shared.token("acme", &client, "wrong").await;
    assert_eq!(wrong.status, 401, "a wrong secret: {wrong:?}");
}

fn authorization(client: &'static str) -> Vec<(&'static str, &'static str)> {
    vec![
        ("client_id", client),
        ("response_type", "code"),
        ("redirect_uri", REDIRECT_URI),
        ("scope", "openid"),
        ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
        ("code_challenge_method", "S256"),
    ]
}

impl Shared {
    fn start() -> Self {
        let tenants = json!({ "acme": tenant(), "globex": tenant() });
        let (folder, program) = Program::serving(&format!("{}tenants: {tenants}\n", own_address().1));
        let http = Client::builder().redirect(redirect::Policy::none()).build().unwrap();
        Self { folder, program, http, last: AtomicUsize::new(0) }
    }

    fn import(&self, tenant: &str) {
        let line =
            |number| json!({ "email": format!("imported-{number}@example.com"), "password_hash": BCRYPT });
        let lines: Vec<_> = (0..IMPORTED).map(|number| line(number).to_string()).collect();
        self.folder.write("people.jsonl", &lines.join("\n"));
        self.folder.run(&["account", "import", tenant, "people.jsonl"]).output();
    }

    fn number(&self) -> usize {
        self.last.fetch_add(1, Ordering::Relaxed)
    }

    /// Sends a request to a path of a tenant, with a form if there is one.
    async fn send(&self, (tenant, path): (&str, &str), form: &[(&str, &str)], cookies: &str) -> Answer {
        let method = if form.is_empty() { Method::GET } else { Method::POST };
        let request = self.http.request(method, self.program.url(&tenant_path(tenant, path)));
        let request = request.header(ORIGIN, self.program.url("")).header(COOKIE, cookies);
        Answer::to(if form.is_empty() { request } else { request.form(form) }).await
    }

    /// A form of the client `svc-0`, unless the form names another client.
    async fn post(&self, tenant: &str, path: &str, form: &[(&str, &str)]) -> Answer {
        let own = [("client_id", "svc-0"), ("client_secret", SECRET)];
        let own = if form[0].0 == "client_id" { &[][..] } else { &own[..] };
        self.send((tenant, path), &[form, own].concat(), "").await
    }

    async fn token(&self, tenant: &str, client: &str, secret: &str) -> Answer {
        let form = [("client_id", client), ("client_secret", secret), ("grant_type", "client_credentials")];
        self.post(tenant, "/oauth/token", &form).await
    }

    /// The answer to the sign-in form in a new browser, and its cookies.
    async fn sign_in(&self, tenant: &str, identifier: &str, password: &str) -> (Answer, String) {
        let query =
            url::form_urlencoded::Serializer::new(String::new()).extend_pairs(authorization("spa")).finish();
        let page = self.send((tenant, &format!("/oauth/authorize?{query}")), &[], "").await;
        let cookies = page.headers.iter().filter(|(name, _)| name == SET_COOKIE.as_str());
        let cookies: Vec<_> = cookies.filter_map(|(_, line)| line.split(';').next()).collect();
        let cookies = cookies.join("; ");
        if page.status != 200 {
            return (page, cookies);
        }
        let flow = after(&page, "name=\"flow\" value=\"");
        let form = [("flow", &*flow), ("identifier", identifier), ("password", password)];
        (self.send((tenant, "/oauth/sign-in"), &form, &cookies).await, cookies)
    }
}

fn tenant() -> Value {
    let client = || json!({ "client_secret": { "value": SECRET }, "introspection": "tenant" });
    let mut clients: serde_json::Map<String, Value> =
        (0..CLIENTS).map(|number| (format!("svc-{number}"), client())).collect();
    // The worst rules that are allowed: as many as clients may have, all with the same beginning.
    let worst = |nth: usize| {
        let rules = (0..2).map(|rule| {
            json!({ "issuer": ISSUER, "subject": format!("org:**{}**{}**{nth}-{rule}**", "a".repeat(100), "a".repeat(100)) })
        });
        json!({ "federated": rules.collect::<Vec<_>>() })
    };
    clients.extend((0..70).map(|nth| (format!("worst-{nth}"), worst(nth))));
    let of_people = json!({ "grant_types": ["authorization_code"], "redirect_uris": [REDIRECT_URI], "scopes": ["openid"] });
    let public = json!({ "token_endpoint_auth_method": "none", "first_party": true });
    for (name, mut client) in [("web", client()), ("spa", public)] {
        client.as_object_mut().unwrap().extend(of_people.as_object().unwrap().clone());
        clients.insert(name.to_owned(), client);
    }
    json!({
        "strategies": { "oauth2": { "enabled": true }, "oidc": { "enabled": true } },
        "signing": { "algorithm": "ES256" },
        "accounts": { "ada": { "email": "ada@example.com", "password": { "value": PASSWORD } } },
        "clients": clients,
    })
}
