//! Writers change every kind of row that replicas cache, each writer its own rows, at either replica. A
//! writer repeats a request until it succeeds.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};
use testkit::Random;
use tokio::time::sleep;

use super::History;
use super::record::{Credential, Proof, Turn};
use crate::administrator::Administrator;
use crate::answer::Answer;
use crate::api_keys::with_api_keys;
use crate::person::{Browser, code_of, redeem, settings_with_people};
use crate::running::{credentials, tenant_path};
use crate::test_env::{TENANTS, TestEnv};

/// Pause between two changes of a writer.
const PAUSE: usize = 600;
/// Number of live credentials that a writer keeps.
const KEPT: usize = 2;
const PASSWORD: &str = "horse staple battery";

#[derive(Clone, Copy)]
enum Kind {
    Secrets,
    ApiKeys,
    Tokens,
    Keys,
    Names,
    Tenants,
}

const KINDS: [Kind; 6] = [Kind::Secrets, Kind::ApiKeys, Kind::Tokens, Kind::Keys, Kind::Names, Kind::Tenants];

pub(super) struct Writer {
    kind: Kind,
    tenant: String,
    /// The name of the writer, and of its client, or the id of its account.
    name: String,
    /// The secret of its client, or the access token of its person.
    secret: String,
    /// The numbers of the live credentials, with their ids.
    held: Vec<(usize, String)>,
    is_suspended: bool,
    requests: u64,
    admin: Administrator,
    addresses: Arc<Mutex<[SocketAddr; 2]>>,
    credentials: Arc<Mutex<Vec<Credential>>>,
    random: Random,
}

/// Settings that allow every kind of change.
pub(super) fn settings() -> String {
    with_api_keys(&settings_with_people())
}

impl Writer {
    /// Creates the client, account or tenant that the writer changes.
    pub(super) async fn new(
        number: usize,
        history: &History,
        test_env: &TestEnv,
        admin: &Administrator,
    ) -> Self {
        let replica = &history.replicas[0];
        let (kind, name) = (KINDS[number % KINDS.len()], format!("writer-{number}"));
        let shared = TENANTS[number / KINDS.len() % TENANTS.len()];
        let mut writer = Self {
            kind,
            tenant: shared.to_owned(),
            secret: String::new(),
            held: Vec::new(),
            is_suspended: false,
            requests: 0,
            admin: admin.clone(),
            addresses: Arc::clone(&history.addresses),
            credentials: Arc::clone(&history.credentials),
            random: Random(number as u64 + 1),
            name,
        };
        match kind {
            Kind::Secrets | Kind::ApiKeys | Kind::Tokens => {
                let client =
                    json!({ "client_id": writer.name, "scopes": ["api:read"], "audiences": ["api"] });
                let made = writer.send(Method::POST, &writer.path("/clients"), client).await;
                writer.secret = made["secret"]["client_secret"].as_str().unwrap().to_owned();
            }
            Kind::Keys | Kind::Tenants => {
                writer.tenant = writer.name.clone();
                let tenant = json!({ "id": writer.name, "signing": { "algorithm": "ES256" } });
                writer.send(Method::POST, "/api/v1/admin/tenants", tenant).await;
                if matches!(kind, Kind::Tenants) {
                    let own = writer.begin(Proof::Tenant, Instant::now());
                    writer.held.push((own, String::new()));
                }
            }
            Kind::Names => {
                let email = format!("{}@example.com", writer.name);
                let person = json!({ "email": email, "password": PASSWORD });
                let made = writer.send(Method::POST, &writer.path("/accounts"), person).await;
                writer.name = made["account_id"].as_str().unwrap().to_owned();
                let mut browser = Browser::of(shared, &email, PASSWORD);
                let page = browser.open(replica).await;
                let page = browser.sign_in(replica, &page, true).await;
                let code = code_of(&page).unwrap_or_else(|| panic!("{page:?}"));
                let tokens = redeem((test_env, shared), replica, &code).await.json();
                writer.secret = tokens["access_token"].as_str().unwrap().to_owned();
            }
        }
        writer
    }

    /// Makes changes until this time, and returns their number.
    pub(super) async fn write(mut self, until: Instant) -> u64 {
        let mut made = 0;
        while Instant::now() < until {
            self.change().await;
            made += 1;
            sleep(Duration::from_millis(self.random.below(PAUSE) as u64)).await;
        }
        made
    }

    async fn change(&mut self) {
        let is_full = self.held.len() >= KEPT;
        match self.kind {
            Kind::Secrets if self.is_suspended || (is_full && self.random.below(2) == 0) => {
                self.suspend(&self.path(&format!("/clients/{}", self.name))).await;
            }
            Kind::Secrets => self.replace("secrets", json!({}), Proof::Secret, "client_secret").await,
            Kind::ApiKeys => self.replace("api-keys", json!({ "name": "n" }), Proof::ApiKey, "api_key").await,
            Kind::Tokens if is_full => {
                let (ended, token) = self.held.remove(0);
                let turned = self.turn(&[ended], false);
                self.post("/oauth/revoke", &[("token", &token)]).await;
                self.acknowledge(&turned);
            }
            Kind::Tokens => {
                let begun = Instant::now();
                let answer = self.post("/oauth/token", &[("grant_type", "client_credentials")]).await;
                let (token, secret) = (answer.token(), self.secret.clone());
                let new = self.begin(Proof::Token { token: token.clone(), secret }, begun);
                self.held.push((new, token));
            }
            Kind::Keys => {
                let ended: Vec<usize> = self.held.drain(..).map(|(number, _)| number).collect();
                let (begun, turned) = (Instant::now(), self.turn(&ended, false));
                let rotation = json!({ "emergency": true, "confirm": true });
                let keys = self.send(Method::POST, &self.path("/keys/rotate"), rotation).await;
                let active = |key: &&Value| key["state"] == "active";
                let kid = keys["items"].as_array().unwrap().iter().find(active).unwrap()["kid"].clone();
                let new = self.begin(Proof::Key(kid.as_str().unwrap().to_owned()), begun);
                self.acknowledge(&turned);
                self.held.push((new, String::new()));
            }
            Kind::Names => {
                let ended: Vec<usize> = self.held.drain(..).map(|(number, _)| number).collect();
                let (begun, turned) = (Instant::now(), self.turn(&ended, false));
                let name = format!("{} {}", self.name, self.requests);
                let body = json!({ "claims": { "name": name } });
                let path = self.path(&format!("/accounts/{}", self.name));
                self.send(Method::PATCH, &path, body).await;
                let new = self.begin(Proof::Name { token: self.secret.clone(), name }, begun);
                self.acknowledge(&turned);
                self.held.push((new, String::new()));
            }
            Kind::Tenants => self.suspend(&format!("/api/v1/admin/tenants/{}", self.tenant)).await,
        }
    }

    /// Creates a credential of the client. Revokes the oldest one instead if there are [`KEPT`].
    async fn replace(&mut self, kind: &str, body: Value, proof: fn(String) -> Proof, member: &str) {
        let path = self.path(&format!("/clients/{}/{kind}", self.name));
        if self.held.len() < KEPT {
            let begun = Instant::now();
            let made = self.send(Method::POST, &path, body).await;
            let new = self.begin(proof(made[member].as_str().unwrap().to_owned()), begun);
            self.held.push((new, made["id"].as_str().unwrap().to_owned()));
        } else {
            let (ended, id) = self.held.remove(0);
            let turned = self.turn(&[ended], false);
            self.send(Method::DELETE, &format!("{path}/{id}"), Value::Null).await;
            self.acknowledge(&turned);
        }
    }

    /// Suspends or resumes the client or tenant at this path.
    async fn suspend(&mut self, path: &str) {
        self.is_suspended = !self.is_suspended;
        let held: Vec<usize> = self.held.iter().map(|(number, _)| *number).collect();
        let turned = self.turn(&held, !self.is_suspended);
        let step = if self.is_suspended { "suspend" } else { "resume" };
        self.send(Method::POST, &format!("{path}/{step}"), Value::Null).await;
        self.acknowledge(&turned);
    }

    fn path(&self, rest: &str) -> String {
        tenant_path(&self.tenant, rest)
    }

    /// Records a credential that a request has created.
    fn begin(&self, proof: Proof, begun: Instant) -> usize {
        let turns = vec![Turn { live: true, begun, acknowledged: Some(Instant::now()) }];
        let (tenant, client) = (self.tenant.clone(), self.name.clone());
        let mut credentials = self.credentials.lock().unwrap();
        credentials.push(Credential { tenant, client, proof, turns });
        credentials.len() - 1
    }

    fn turn(&self, numbers: &[usize], live: bool) -> Vec<usize> {
        let (mut credentials, begun) = (self.credentials.lock().unwrap(), Instant::now());
        for number in numbers {
            credentials[*number].turns.push(Turn { live, begun, acknowledged: None });
        }
        numbers.to_vec()
    }

    fn acknowledge(&self, numbers: &[usize]) {
        let (mut credentials, at) = (self.credentials.lock().unwrap(), Instant::now());
        for number in numbers {
            credentials[*number].turns.last_mut().unwrap().acknowledged = Some(at);
        }
    }

    /// Sends a request of the administrator until it has been done.
    async fn send(&mut self, method: Method, path: &str, body: Value) -> Value {
        self.requests += 1;
        let once = format!("{}-{}", self.name, self.requests);
        let body = (!body.is_null()).then_some(&body);
        let mut has_tried = false;
        loop {
            let origin = format!("http://{}", self.address());
            let admin = self.admin.at_origin(&origin);
            match admin.send_as(Some(&once), method.clone(), path, body).await {
                Some((200..300, said)) => return said,
                Some((404, said)) if has_tried && method == Method::DELETE => return said,
                // An earlier attempt with the same `Idempotency-Key` is still running.
                Some((409, _)) if has_tried => {}
                None | Some((503, _)) => has_tried = true,
                said => panic!("{method} {path}: {said:?}"),
            }
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// Sends a request of the client until it has been done.
    async fn post(&mut self, path: &str, form: &[(&str, &str)]) -> Answer {
        let http = reqwest::Client::new();
        loop {
            let url = format!("http://{}{}", self.address(), self.path(path));
            let client = &credentials(&self.name, &self.secret)[1..];
            let request = http.post(url).form(&[client, form].concat());
            if let Ok(answer) = Answer::try_to(request).await
                && answer.status != 503
            {
                assert_eq!(answer.status, 200, "{path}: {answer:?}");
                return answer;
            }
            sleep(Duration::from_millis(50)).await;
        }
    }

    fn address(&mut self) -> SocketAddr {
        let replica = self.random.below(2);
        self.addresses.lock().unwrap()[replica]
    }
}
