//! Opaque tokens, which only their issuer can explain (RFC 7662). One request serves all callers with the
//! same token, and answers are cached for seconds.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Deserialize;
use tokio::sync::{OnceCell, Semaphore};
use tokio::time::timeout;
use url::Url;
use url::form_urlencoded::byte_serialize;
use zeroize::Zeroizing;

use crate::Thumbprint;
use crate::verifying::cached::Unavailable;
use crate::verifying::clock::Moment;
use crate::verifying::http::Http;
use crate::verifying::issuer::{Environment, Waits};

/// How long an active answer is used, and an inactive one.
const ACTIVE: Duration = Duration::from_secs(10);
const INACTIVE: Duration = Duration::from_secs(5);
const MOST_ANSWERS: usize = 10_000;
/// Requests at a time: anyone can send opaque tokens.
const MOST_REQUESTS: usize = 64;
const LONGEST_WAIT: Duration = Duration::from_secs(2);
const LARGEST: usize = 64 * 1024;

/// The endpoint that introspects opaque tokens, and the client's credential. `Debug` shows no secret.
#[must_use]
pub struct Introspection {
    pub(crate) url: String,
    client_id: String,
    client_secret: Zeroizing<String>,
}

/// Introspects tokens.
pub(crate) struct Introspector {
    url: Url,
    client_id: String,
    client_secret: Zeroizing<String>,
    /// The answers by the SHA-256 of the token.
    answers: Mutex<HashMap<[u8; 32], Arc<Answer>>>,
    requests: Semaphore,
}

struct Answer {
    at: Moment,
    /// The members of an active token. None for an inactive one.
    members: OnceCell<Option<Arc<str>>>,
    /// Whether the request failed. Callers that waited for it then do not repeat it one after the other.
    has_failed: AtomicBool,
}

#[derive(Deserialize)]
struct Active {
    active: bool,
}

impl Introspection {
    /// Introspects at this URL as this client, which may see the tokens of all clients.
    pub fn new(
        url: impl Into<String>,
        client_id: impl Into<String>,
        client_secret: impl Into<String>,
    ) -> Self {
        Self {
            url: url.into(),
            client_id: client_id.into(),
            client_secret: Zeroizing::new(client_secret.into()),
        }
    }

    pub(crate) fn at(self, url: Url) -> Introspector {
        let Self { client_id, client_secret, .. } = self;
        let requests = Semaphore::new(MOST_REQUESTS);
        Introspector { url, client_id, client_secret, answers: Mutex::default(), requests }
    }
}

impl std::fmt::Debug for Introspection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Introspection({} as {})", self.url, self.client_id)
    }
}

impl Introspector {
    /// The members of an active token as JSON. None for an inactive one.
    pub(crate) async fn introspect(
        &self,
        token: &str,
        environment: &Environment,
        waits: Waits,
    ) -> Result<Option<Arc<str>>, Unavailable> {
        const UNAVAILABLE: Unavailable = Unavailable { retry_after: Duration::from_secs(1) };
        let answer =
            self.answer(Thumbprint::from_bytes(token.as_bytes()).into_bytes(), environment.clock.now());
        if waits == Waits::Never {
            return answer.members.get().cloned().ok_or(UNAVAILABLE);
        }
        let request = async {
            if answer.has_failed.load(Ordering::Relaxed) {
                return Err(UNAVAILABLE);
            }
            let http = environment.http.as_ref().ok_or(UNAVAILABLE)?;
            let _one_of = self.requests.acquire().await.map_err(|_| UNAVAILABLE)?;
            let members = self.request(http, token).await;
            answer.has_failed.store(members.is_none(), Ordering::Relaxed);
            members.ok_or(UNAVAILABLE)
        };
        let members = timeout(LONGEST_WAIT, answer.members.get_or_try_init(|| request)).await;
        members.map_err(|_| UNAVAILABLE)?.cloned()
    }

    /// The answer for this token: one that may still be used, or a new one.
    fn answer(&self, token: [u8; 32], now: Moment) -> Arc<Answer> {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(answer) = answers.get(&token).filter(|answer| answer.is_usable(now)) {
            return Arc::clone(answer);
        }
        if answers.len() >= MOST_ANSWERS {
            answers.retain(|_, answer| answer.is_usable(now));
        }
        if answers.len() >= MOST_ANSWERS {
            answers.clear();
        }
        let members = OnceCell::new();
        let answer = Arc::new(Answer { at: now, members, has_failed: AtomicBool::new(false) });
        answers.insert(token, Arc::clone(&answer));
        answer
    }

    /// `None` where the server gave no answer of RFC 7662 §2.2.
    async fn request(&self, http: &Http, token: &str) -> Option<Option<Arc<str>>> {
        // RFC 6749 §2.3.1: both are form-encoded before they are joined.
        let encoded = |text: &str| Zeroizing::new(byte_serialize(text.as_bytes()).collect::<String>());
        let credentials = [encoded(&self.client_id), encoded(&self.client_secret)];
        let answered = http.post(&self.url, &credentials, &[("token", token)], LARGEST).await;
        let json = answered.map_err(|error| tracing::warn!(%error, "a token cannot be introspected")).ok()?;
        let Active { active } = serde_json::from_str(&json).ok()?;
        Some(active.then(|| json.into()))
    }
}

impl Answer {
    fn is_usable(&self, now: Moment) -> bool {
        let kept = match self.members.get() {
            Some(Some(_)) => ACTIVE,
            Some(None) => INACTIVE,
            None if self.has_failed.load(Ordering::Relaxed) => Duration::ZERO,
            None => ACTIVE,
        };
        now.since(self.at) < kept
    }
}
