//! Opaque tokens, which only their issuer can explain (RFC 7662). One request serves all callers with the
//! same token, and answers are cached for seconds.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde::Deserialize;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use url::Url;
use url::form_urlencoded::byte_serialize;
use zeroize::Zeroizing;

use crate::Thumbprint;
use crate::verifying::answers::Answers;
use crate::verifying::api_key::{is_api_key, is_opaque_access_token};
use crate::verifying::cached::Unavailable;
use crate::verifying::http::FetchClient;
use crate::verifying::issuer::{VerifierState, Waits};

/// Requests at a time: anyone can send opaque tokens.
const MOST_REQUESTS: usize = 64;
/// Those of them that may be for tokens that are not known, so that known ones have the others.
const MOST_OF_UNKNOWN: usize = 48;
const LONGEST_WAIT: Duration = Duration::from_secs(2);
const LARGEST: usize = 64 * 1024;

/// The endpoint that introspects opaque tokens, and the client's credential. `Debug` shows no secret.
#[must_use]
pub struct Introspection {
    pub(crate) url: String,
    client_id: String,
    client_secret: Zeroizing<String>,
    takes_any: bool,
}

/// Introspects tokens.
pub(crate) struct Introspector {
    url: Url,
    client_id: String,
    client_secret: Zeroizing<String>,
    takes_any: bool,
    answers: Answers,
    requests: Semaphore,
    of_unknown: Semaphore,
}

#[derive(Deserialize)]
struct Active {
    active: bool,
}

impl Introspection {
    /// Introspects opaque tokens and API keys of Latchkey at this URL as this client, which may see the
    /// tokens of all clients.
    pub fn new(
        url: impl Into<String>,
        client_id: impl Into<String>,
        client_secret: impl Into<String>,
    ) -> Self {
        Self {
            url: url.into(),
            client_id: client_id.into(),
            client_secret: Zeroizing::new(client_secret.into()),
            takes_any: false,
        }
    }

    /// Introspects every token without a dot, for an issuer that is not Latchkey.
    pub fn any_token(self) -> Self {
        Self { takes_any: true, ..self }
    }

    pub(crate) fn at(self, url: Url) -> Introspector {
        let Self { client_id, client_secret, takes_any, .. } = self;
        Introspector {
            url,
            client_id,
            client_secret,
            takes_any,
            answers: Answers::default(),
            requests: Semaphore::new(MOST_REQUESTS),
            of_unknown: Semaphore::new(MOST_OF_UNKNOWN),
        }
    }
}

impl std::fmt::Debug for Introspection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Introspection({} as {})", self.url, self.client_id)
    }
}

impl Introspector {
    /// Whether the issuer may have made this opaque token.
    pub(crate) fn takes(&self, token: &str) -> bool {
        self.takes_any || is_api_key(token) || is_opaque_access_token(token)
    }

    /// The members of an active token as JSON. None for an inactive one.
    pub(crate) async fn introspect(
        &self,
        token: &str,
        environment: &VerifierState,
        waits: Waits,
    ) -> Result<Option<Arc<str>>, Unavailable> {
        const UNAVAILABLE: Unavailable = Unavailable { retry_after: Duration::from_secs(1) };
        let digest = Thumbprint::from_bytes(token.as_bytes()).into_bytes();
        let answer = self.answers.answer(digest, environment.clock.now());
        if waits == Waits::Never {
            return answer.members.get().cloned().ok_or(UNAVAILABLE);
        }
        let request = async {
            if answer.has_failed.load(Ordering::Relaxed) {
                return Err(UNAVAILABLE);
            }
            let http = environment.http.as_ref().ok_or(UNAVAILABLE)?;
            let _one_of_unknown = match answer.is_of_known {
                true => None,
                false => Some(self.of_unknown.acquire().await.map_err(|_| UNAVAILABLE)?),
            };
            let _one_of = self.requests.acquire().await.map_err(|_| UNAVAILABLE)?;
            let members = self.request(http, token).await;
            answer.has_failed.store(members.is_none(), Ordering::Relaxed);
            members.ok_or(UNAVAILABLE)
        };
        let members = timeout(LONGEST_WAIT, answer.members.get_or_try_init(|| request)).await;
        members.map_err(|_| UNAVAILABLE)?.cloned()
    }

    /// `None` where the server gave no answer of RFC 7662 §2.2.
    async fn request(&self, http: &FetchClient, token: &str) -> Option<Option<Arc<str>>> {
        // RFC 6749 §2.3.1: both are form-encoded before they are joined.
        let encoded = |text: &str| Zeroizing::new(byte_serialize(text.as_bytes()).collect::<String>());
        let credentials = [encoded(&self.client_id), encoded(&self.client_secret)];
        let answered = http.post(&self.url, &credentials, &[("token", token)], LARGEST).await;
        let json = answered.map_err(|error| tracing::warn!(%error, "a token cannot be introspected")).ok()?;
        let Active { active } = serde_json::from_str(&json).ok()?;
        Some(active.then(|| json.into()))
    }
}
