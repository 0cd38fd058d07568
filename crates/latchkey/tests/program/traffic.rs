//! Callers that continuously request tokens, alternating between the programs, and verifiers that check each
//! token immediately. The verifiers check some tokens again shortly before they expire and, by introspection,
//! at the next program.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, RwLock};
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::caching_verifier::{CachingVerifier, turn_of};

/// The verifiers learn about a new key at different times.
const VERIFIERS: usize = 3;
/// The remaining lifetime of a token when it is verified again.
const LEFT: Duration = Duration::from_secs(2);
/// One token in this many is introspected.
const INTROSPECTED: usize = 16;
/// The longest time for an answer.
const LONGEST: Duration = Duration::from_secs(20);

#[derive(Clone)]
pub(crate) struct Requester {
    pub(crate) tenant: String,
    pub(crate) client: String,
    pub(crate) secret: String,
}

impl Requester {
    pub(crate) fn new(tenant: &str, client: &str, secret: &str) -> Self {
        Self { tenant: tenant.to_owned(), client: client.to_owned(), secret: secret.to_owned() }
    }
}

#[derive(Clone, Copy)]
pub(crate) struct Pace {
    pub(crate) callers: usize,
    /// The pause between a caller's requests.
    pub(crate) pause: Duration,
    /// One token in this many is verified again.
    pub(crate) again: usize,
}

pub(crate) struct Traffic {
    shared: Arc<Shared>,
    callers: Vec<JoinHandle<()>>,
}

#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) tokens: usize,
    pub(crate) again: usize,
    pub(crate) introspected: usize,
    pub(crate) key_sets: usize,
    /// Answers with 503: a program has no connection to its store yet.
    pub(crate) turned_away: usize,
    pub(crate) failed: usize,
    pub(crate) failures: Vec<String>,
    /// For each tenant, the keys that signed tokens.
    pub(crate) kids: BTreeMap<String, BTreeSet<String>>,
}

struct Shared {
    origins: Arc<RwLock<Vec<String>>>,
    requested: Vec<Requester>,
    /// For each client, the index of its tenant in the verifiers' list.
    tenants: Vec<usize>,
    verifiers: Vec<CachingVerifier>,
    pace: Pace,
    tokens: AtomicUsize,
    again: AtomicUsize,
    introspected: AtomicUsize,
    turned_away: AtomicUsize,
    failures: Mutex<(usize, Vec<String>)>,
    kids: Mutex<BTreeMap<String, BTreeSet<String>>>,
    ended: AtomicBool,
}

/// A token, and when to verify it again.
type Later = (Instant, usize, String);

impl Traffic {
    /// Starts load on the programs at `origins`.
    pub(crate) fn start(origins: Vec<String>, requested: Vec<Requester>, pace: Pace) -> Self {
        let names: BTreeSet<_> = requested.iter().map(|requested| requested.tenant.clone()).collect();
        let names: Vec<_> = names.into_iter().collect();
        let origins = Arc::new(RwLock::new(origins));
        let verifier = || CachingVerifier::new(Arc::clone(&origins), names.clone());
        let tenant = |requested: &Requester| names.iter().position(|name| *name == requested.tenant).unwrap();
        let shared = Arc::new(Shared {
            tenants: requested.iter().map(tenant).collect(),
            requested,
            verifiers: (0..VERIFIERS).map(|_| verifier()).collect(),
            origins,
            pace,
            tokens: AtomicUsize::new(0),
            again: AtomicUsize::new(0),
            introspected: AtomicUsize::new(0),
            turned_away: AtomicUsize::new(0),
            failures: Mutex::default(),
            kids: Mutex::default(),
            ended: AtomicBool::new(false),
        });
        let caller = |number| tokio::spawn(Arc::clone(&shared).call(number));
        let callers = (0..pace.callers).map(caller).collect();
        Self { shared, callers }
    }

    /// Replaces the programs. Answers of the previous ones are ignored.
    pub(crate) fn turn_to(&self, origins: Vec<String>) {
        *self.shared.origins.write().unwrap() = origins;
    }

    pub(crate) fn tokens(&self) -> usize {
        self.shared.tokens.load(Ordering::Relaxed)
    }

    /// The number of keys that have signed tokens of this tenant so far.
    pub(crate) fn kids(&self, tenant: &str) -> usize {
        self.shared.kids.lock().unwrap().get(tenant).map_or(0, BTreeSet::len)
    }

    pub(crate) async fn end(self) -> Outcome {
        self.shared.ended.store(true, Ordering::Relaxed);
        for caller in self.callers {
            caller.await.unwrap();
        }
        let Shared { tokens, again, introspected, turned_away, verifiers, failures, kids, .. } =
            &*self.shared;
        let (failed, failures) = failures.lock().unwrap().clone();
        Outcome {
            tokens: tokens.load(Ordering::Relaxed),
            again: again.load(Ordering::Relaxed),
            introspected: introspected.load(Ordering::Relaxed),
            turned_away: turned_away.load(Ordering::Relaxed),
            key_sets: verifiers.iter().map(CachingVerifier::fetched).sum(),
            failed,
            failures,
            kids: kids.lock().unwrap().clone(),
        }
    }
}

impl Shared {
    async fn call(self: Arc<Self>, caller: usize) {
        let http = reqwest::Client::new();
        let verifier = &self.verifiers[caller % self.verifiers.len()];
        let mut later: VecDeque<Later> = VecDeque::new();
        let mut turn = caller;
        while !self.ended.load(Ordering::Relaxed) {
            turn += self.pace.callers;
            self.send_request(&http, verifier, turn, &mut later).await;
            while later.front().is_some_and(|(due, ..)| *due <= Instant::now()) {
                self.verify_again(verifier, later.pop_front()).await;
            }
            if !self.pace.pause.is_zero() {
                sleep(self.pace.pause).await;
            }
        }
        // Verifies the tokens that are still valid.
        for last in later {
            self.verify_again(verifier, Some(last)).await;
        }
    }

    async fn send_request(
        &self,
        http: &reqwest::Client,
        verifier: &CachingVerifier,
        turn: usize,
        later: &mut VecDeque<Later>,
    ) {
        let number = turn % self.requested.len();
        let (requested, tenant) = (&self.requested[number], self.tenants[number]);
        let began = Instant::now();
        let form = [("grant_type", "client_credentials")];
        // Iterates over all clients at one program, then at the next program.
        let Some(said) = self.post(http, turn / self.requested.len(), requested, "token", &form).await else {
            return;
        };
        let Some(token) = said["access_token"].as_str() else {
            return self.failed(format!("{}: {said}", requested.tenant));
        };
        match verifier.verify(tenant, token).await {
            Ok(claims) if claims["client_id"] == requested.client.as_str() => {}
            Ok(claims) => {
                self.failed(format!("{}/{}: a token of {claims}", requested.tenant, requested.client));
            }

            Err(error) => self.failed(format!("{}/{}: {error}", requested.tenant, requested.client)),
        }
        self.note(&requested.tenant, token);
        let count = self.tokens.fetch_add(1, Ordering::Relaxed);
        if count.is_multiple_of(self.pace.again) {
            let life = Duration::from_secs(said["expires_in"].as_u64().unwrap_or(0));
            later.push_back((began + life.saturating_sub(LEFT), tenant, token.to_owned()));
        }
        if count.is_multiple_of(INTROSPECTED) {
            let form = [("token", token)];
            let next = turn / self.requested.len() + 1;
            let Some(said) = self.post(http, next, requested, "introspect", &form).await else { return };
            self.introspected.fetch_add(1, Ordering::Relaxed);
            if said["active"] != true {
                self.failed(format!("{}: not active at the next program: {said}", requested.tenant));
            }
        }
    }

    /// The answer. `None` for a program that has been removed from the list.
    async fn post(
        &self,
        http: &reqwest::Client,
        turn: usize,
        requested: &Requester,
        what: &str,
        form: &[(&str, &str)],
    ) -> Option<Value> {
        let origin = turn_of(&self.origins, turn);
        let url = format!("{origin}/api/v1/tenant/{}/oauth/{what}", requested.tenant);
        let credentials =
            [("client_id", requested.client.as_str()), ("client_secret", requested.secret.as_str())];
        let form: Vec<_> = credentials.iter().chain(form).collect();
        let answered = async {
            let answer = http.post(url).form(&form).timeout(LONGEST).send().await?;
            let status = answer.status();
            Ok::<_, reqwest::Error>((status, answer.text().await?))
        };
        match answered.await {
            Ok((status, text)) if status == 200 => return serde_json::from_str(&text).ok(),
            Ok((status, _)) if status == 503 => drop(self.turned_away.fetch_add(1, Ordering::Relaxed)),
            Ok((status, text)) => self.failed(format!("{}: {what}: {status} {text}", requested.tenant)),
            Err(_) if !self.origins.read().unwrap().contains(&origin) => {}
            Err(error) => self.failed(format!("{}: {what}: {error:?}", requested.tenant)),
        }
        None
    }

    async fn verify_again(&self, verifier: &CachingVerifier, later: Option<Later>) {
        let Some((_, tenant, token)) = later else { return };
        match verifier.verify(tenant, &token).await {
            Ok(_) => drop(self.again.fetch_add(1, Ordering::Relaxed)),
            // The machine was so busy that the verification came too late.
            Err(error) if error.ends_with("ExpiredSignature") => {}
            Err(error) => self.failed(format!("at the end of its life: {error}")),
        }
    }

    fn note(&self, tenant: &str, token: &str) {
        let kid = jsonwebtoken::decode_header(token).ok().and_then(|header| header.kid).unwrap_or_default();
        let mut kids = self.kids.lock().unwrap();
        if !kids.get(tenant).is_some_and(|kids| kids.contains(&kid)) {
            kids.entry(tenant.to_owned()).or_default().insert(kid);
        }
    }

    fn failed(&self, what: String) {
        let mut failures = self.failures.lock().unwrap();
        failures.0 += 1;
        if failures.1.len() < 10 {
            failures.1.push(what);
        }
    }
}

impl Outcome {
    /// Asserts that no request failed or got 503, and that there were at least `least` requests.
    #[track_caller]
    pub(crate) fn assert_all_served(&self, least: usize) {
        assert_eq!(self.turned_away, 0, "{self:?}");
        self.assert_none_failed(least);
    }

    /// Like [`Outcome::assert_all_served`], but allows some 503.
    #[track_caller]
    pub(crate) fn assert_none_failed(&self, least: usize) {
        assert_eq!(self.failed, 0, "of {} tokens: {:#?}", self.tokens, self.failures);
        assert!(self.tokens >= least, "too few to mean anything: {self:?}");
        assert!(self.again > 0 && self.introspected > 0 && self.key_sets > 0, "{self:?}");
    }
}
