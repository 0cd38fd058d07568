//! One fetch of a token: several attempts, depending on each failure.

use std::collections::BTreeSet;
use std::mem::replace;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use reqwest::Client;
use reqwest::header::HeaderMap;
use tokio::time::{Instant, sleep, timeout};

use crate::answer::{Grant, Verdict, clock_difference, judge};
use crate::binding::USE_DPOP_NONCE;
use crate::chance::chance;
use crate::credential::BoxFuture;
use crate::error::TokenError;
use crate::exchange::{Exchange, Sent};
use crate::http_answer::{Answer, unusable};
use crate::moment::{self, ClockReading, Clocks};
use crate::observer::{Fetched, Outcome};
use crate::request::Request;
use crate::schedule::Schedule;
use crate::state::{Life, Pause};
use crate::token::{AccessToken, TokenAnswer};

/// Attempts of one fetch.
const ATTEMPTS: u32 = 4;

/// The time of one attempt.
const ATTEMPT: Duration = Duration::from_secs(5);

/// The time of all attempts and the pauses between them, without the pauses that the server demanded.
const ALL: Duration = Duration::from_secs(15);

/// A longer `Retry-After` ends the fetch.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

const FIRST_BACKOFF: Duration = Duration::from_millis(250);
const LONGEST_BACKOFF: Duration = Duration::from_secs(2);

/// Why there is no token, and when a renewal may begin again.
pub(crate) type Failure = (TokenError, Pause);

/// Renews the token of an entry.
pub(crate) trait Fetch: Send + Sync {
    fn fetch(&self) -> BoxFuture<'static, Result<AccessToken, Failure>>;
}

/// Fetches from a token endpoint.
pub(crate) struct FromEndpoint {
    pub(crate) exchange: Arc<Exchange>,
    pub(crate) request: Arc<Request>,
    pub(crate) clock: Clocks,
}

impl Fetch for FromEndpoint {
    fn fetch(&self) -> BoxFuture<'static, Result<AccessToken, Failure>> {
        let (exchange, request) = (Arc::clone(&self.exchange), Arc::clone(&self.request));
        let clock = self.clock.clone();
        Box::pin(async move { FetchAttempts::new(&exchange, &request, &clock).run().await })
    }
}

struct FetchAttempts<'a> {
    exchange: &'a Exchange,
    request: &'a Request,
    clock: &'a Clocks,
    /// When all attempts end.
    end: Instant,
    number: u32,
    has_reloaded: bool,
    has_set_clock: bool,
    has_used_nonce: bool,
}

/// The step after an attempt.
enum AfterAttempt {
    Token(AccessToken),
    Again,
    AfterBackoff(TokenError, Option<Duration>),
    Over(TokenError),
}

impl<'a> FetchAttempts<'a> {
    fn new(exchange: &'a Exchange, request: &'a Request, clock: &'a Clocks) -> Self {
        Self {
            exchange,
            request,
            clock,
            end: Instant::now() + ALL,
            number: 0,
            has_reloaded: false,
            has_set_clock: false,
            has_used_nonce: false,
        }
    }

    async fn run(mut self) -> Result<AccessToken, Failure> {
        loop {
            let begun = Instant::now();
            let next = self.attempt().await;
            self.tell(&next, begun.elapsed());
            let (error, asked) = match next {
                AfterAttempt::Token(token) => return Ok(token),
                AfterAttempt::Again => continue,
                AfterAttempt::Over(error) => return Err((error, Pause::Growing)),
                AfterAttempt::AfterBackoff(error, asked) => (error, asked),
            };
            self.number += 1;
            let pause = asked.unwrap_or_else(|| self.backoff());
            if let Some(asked) = asked.filter(|asked| self.number >= ATTEMPTS || *asked > LONGEST_WAIT) {
                return Err((error.with_retry_after(asked), Pause::Asked(asked)));
            }
            if asked.is_some() {
                self.end += pause;
            }
            if self.number >= ATTEMPTS || Instant::now() + pause >= self.end {
                return Err((error, Pause::WhileServed));
            }
            sleep(pause).await;
        }
    }

    /// Half to all of a pause that doubles.
    fn backoff(&self) -> Duration {
        let whole = FIRST_BACKOFF * 2_u32.pow(self.number.min(8));
        whole.min(LONGEST_BACKOFF).mul_f64(0.5 + chance() / 2.0)
    }

    async fn attempt(&mut self) -> AfterAttempt {
        let limit = ATTEMPT.min(self.end.saturating_duration_since(Instant::now()));
        // The lifetime counts from here: the server cannot have issued the token earlier.
        let begun = self.clock.now();
        let sent = match timeout(limit, self.exchange.send(self.request)).await {
            Ok(Ok(sent)) => sent,
            Ok(Err(error @ TokenError::Unavailable { .. })) => {
                return AfterAttempt::AfterBackoff(error, None);
            }
            Ok(Err(error)) => return AfterAttempt::Over(error),
            Err(_) => {
                let error =
                    TokenError::unavailable(format!("there was no answer within {} s", limit.as_secs_f32()));
                return AfterAttempt::AfterBackoff(error, None);
            }
        };
        let Sent { endpoint, answer: Answer { status, headers, body }, version, calls } = sent;
        let has_new_nonce =
            self.exchange.binding.as_ref().is_some_and(|binding| binding.note_nonce(&endpoint, &headers));
        match judge(status, &headers, &body, self.exchange.token_kind(), moment::wall()) {
            Verdict::Granted(grant) => match self.token(grant, begun, calls) {
                Some(token) => AfterAttempt::Token(token),
                None => AfterAttempt::Over(unusable(
                    &endpoint,
                    "`access_token` holds a character that no header has".to_owned(),
                )),
            },
            Verdict::Transient { why, retry_after } => {
                AfterAttempt::AfterBackoff(TokenError::unavailable(format!("{endpoint}: {why}")), retry_after)
            }
            Verdict::Unusable(why) => {
                self.exchange.server.forget_endpoint().await;
                AfterAttempt::Over(unusable(&endpoint, why))
            }
            // RFC 9449 §8: the request is repeated with the nonce of the answer.
            Verdict::Rejected { code, .. }
                if code == USE_DPOP_NONCE && has_new_nonce && !replace(&mut self.has_used_nonce, true) =>
            {
                AfterAttempt::Again
            }
            Verdict::Rejected { code, .. }
                if code == "invalid_client" && self.has_other_credential(version).await =>
            {
                AfterAttempt::Again
            }
            Verdict::Rejected { code, .. }
                if matches!(&*code, "invalid_client" | "invalid_dpop_proof") && self.sets_clock(&headers) =>
            {
                AfterAttempt::Again
            }
            Verdict::Rejected { code, description } => {
                AfterAttempt::Over(TokenError::Rejected { code, description, retry_after: None })
            }
        }
    }

    /// Whether the credential differs now from the refused one. It is checked only once.
    async fn has_other_credential(&mut self, refused: u64) -> bool {
        if self.has_reloaded {
            return false;
        }
        self.has_reloaded = true;
        self.exchange.credential.reload().await.is_ok_and(|version| version != refused)
    }

    /// Whether the server's clock differs from the time of the credential. It is checked only once.
    fn sets_clock(&mut self, headers: &HeaderMap) -> bool {
        let exchange = self.exchange;
        let depends_on_time = exchange.credential.depends_on_time() || exchange.binding.is_some();
        if self.has_set_clock || !depends_on_time {
            return false;
        }
        self.has_set_clock = true;
        let ahead = clock_difference(headers, moment::wall()).unwrap_or(0);
        let before = exchange.clock_difference.swap(ahead, Ordering::Relaxed);
        before.abs_diff(ahead) > 30
    }

    fn token(&self, grant: Grant<'_>, begun: ClockReading, calls: Option<Client>) -> Option<AccessToken> {
        let lifetime = grant.lifetime.unwrap_or(self.exchange.assumed_lifetime);
        let requested = self.request.scopes();
        // RFC 6749 §5.1: without `scope`, what was requested was granted.
        let scope = grant.scope.unwrap_or_else(|| requested.iter().cloned().collect());
        let granted: BTreeSet<&str> = scope.iter().map(String::as_str).collect();
        let granted_less = requested.iter().any(|scope| !granted.contains(scope.as_str()));
        let life = Life { begun, schedule: Schedule::new(lifetime, chance()) };
        let granted = TokenAnswer { token: &grant.token, kind: grant.kind, scope, granted_less, life, calls };
        AccessToken::new(granted, self.clock.clone())
    }

    /// Tells what came of an attempt.
    fn tell(&self, next: &AfterAttempt, took: Duration) {
        let (outcome, error) = match next {
            AfterAttempt::Token(token) => (Outcome::Granted { lifetime: token.lifetime() }, None),
            AfterAttempt::Again => (Outcome::Repeated, None),
            AfterAttempt::AfterBackoff(error, _) => (Outcome::Unavailable(error), Some(error)),
            AfterAttempt::Over(error) => (Outcome::Refused(error), Some(error)),
        };
        let (client_id, scope, attempt) =
            (self.exchange.client_id.as_str(), self.request.scope_text(), self.number + 1);
        tracing::debug!(
            target: "latchkey_client",
            client_id,
            scope,
            outcome = outcome.name(),
            attempt,
            milliseconds = u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            error = error.map(tracing::field::display),
            "requested a token"
        );
        if let Some(observer) = &self.exchange.observer {
            observer.fetched(&Fetched { client_id, scope: &scope, attempt, took, outcome });
        }
    }
}
