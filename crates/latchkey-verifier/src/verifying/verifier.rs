//! Verifies access tokens: finds issuer and keys, and makes the checks in the order of [`Check`].

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use serde::de::{DeserializeOwned, IgnoredAny};

use crate::algorithm::Algorithms;
use crate::check::{Check, CheckObserver, Trace, Unobserved, ensure};
use crate::jws::{Header, LONGEST_TOKEN, NOT_ALLOWED, Parts};
use crate::key_set::PublicKey;
use crate::media_type::same_media_type;
use crate::members::Members;
use crate::registered_claims::RegisteredClaims;
use crate::verifying::cached::Unavailable;
use crate::verifying::confirmation::Confirmation;
use crate::verifying::feed::TokenFacts;
use crate::verifying::introspection::Introspector;
use crate::verifying::issuer::{IssuerState, VerifierState, Waits};
use crate::verifying::issuers::Issuers;
use crate::verifying::kind_claims::KindClaims;
use crate::verifying::named_key::check_key;
use crate::verifying::observer::{Accepted, Observer as _};
use crate::verifying::refusal::{Challenge, Scheme};
use crate::verifying::remembered::Remembered;
use crate::verifying::replay::ReplayGuard;
use crate::verifying::sender::ProvenKeys;
use crate::{Caller, Reason, Refusal, TokenError};

/// Verifies access tokens. It is cheap to clone, and all clones share keys.
#[derive(Clone)]
pub struct Verifier(pub(crate) Arc<Inner>);

/// Leaves out the keys.
impl std::fmt::Debug for Verifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Verifier")
    }
}

pub(crate) struct Inner {
    pub(crate) issuers: Issuers,
    pub(crate) rules: TokenRules,
    pub(crate) environment: Arc<VerifierState>,
    /// The public origins in normal form, without a slash at the end.
    pub(crate) public_origins: Vec<Box<str>>,
    pub(crate) replay_guard: Arc<dyn ReplayGuard>,
    pub(crate) remembered: Remembered,
    pub(crate) introspector: Option<Introspector>,
    pub(crate) challenge: Arc<Challenge>,
}

/// The requirements of a token besides issuer and keys.
pub(crate) struct TokenRules {
    pub(crate) algorithms: Algorithms,
    pub(crate) typs: Vec<Box<str>>,
    pub(crate) audiences: Vec<Box<str>>,
    /// Seconds, for `nbf` and `iat`.
    pub(crate) leeway: u64,
}

/// A valid token. Nothing proves yet that its sender may use it.
pub(crate) struct Unconfirmed<C> {
    pub(crate) caller: Caller<C>,
    pub(crate) confirmation: Confirmation,
}

impl Verifier {
    /// The caller of this bearer token. Waits for a fetch only if keys are missing, two seconds at most.
    /// Needs a tokio runtime.
    ///
    /// # Errors
    /// [`Refusal`]. A token that is bound to a key is refused, because it is valid only with a proof.
    pub async fn verify<C: DeserializeOwned>(&self, token: &str) -> Result<Caller<C>, Refusal> {
        self.verify_bearer(token, Waits::Yes, &mut Unobserved).await
    }

    /// The caller of this bearer token, without waiting and without a runtime: if keys are missing or too
    /// old, the answer is 503. In a runtime, it starts the fetch that the next call needs. Without one, call
    /// [`Verifier::prefetch`] elsewhere, now and then.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn verify_now<C: DeserializeOwned>(&self, token: &str) -> Result<Caller<C>, Refusal> {
        self.now_or_not_ready(self.verify_bearer(token, Waits::Never, &mut Unobserved))
    }

    /// Makes the checks of [`Verifier::verify_now`] and shows each of them.
    ///
    /// # Errors
    /// [`Refusal`] with status 503, where keys are missing.
    pub fn trace(&self, token: &str) -> Result<Trace, Refusal> {
        let mut checks = Vec::new();
        let verified =
            self.now_or_not_ready(self.verify_bearer::<IgnoredAny>(token, Waits::Never, &mut checks));
        match verified.map_err(|refusal| (refusal.reason.clone(), refusal)) {
            Ok(_) => Ok(Trace { checks, error: None }),
            Err((error @ (Reason::Token(_) | Reason::Sender(_)), _)) => {
                Ok(Trace { checks, error: Some(error) })
            }
            Err((_, refusal)) => Err(refusal),
        }
    }

    /// Fetches the keys of the issuers that are named, so that the first request need not wait.
    pub async fn prefetch(&self) {
        for issuer in self.0.issuers.named() {
            // A failure is in the log, and the first request tries again.
            let _ = issuer.keys(&self.0.environment, Waits::Yes).await;
        }
    }

    /// Whether the keys of each named issuer are available, for a readiness probe.
    #[must_use]
    pub fn ready(&self) -> bool {
        let now = self.0.environment.clock.now();
        self.0.issuers.named().all(|issuer| issuer.is_ready(now))
    }

    async fn verify_bearer<C: DeserializeOwned>(
        &self,
        token: &str,
        waits: Waits,
        observer: &mut (impl CheckObserver + Send),
    ) -> Result<Caller<C>, Refusal> {
        let verified = self.admit(token, Scheme::Bearer, waits, observer).await.and_then(|token| {
            // A token with `cnf` is worth nothing without its proof.
            let confirmed = token.confirmation.check(Scheme::Bearer, &ProvenKeys::default());
            observer.check(Check::Confirmation, confirmed)?;
            Ok(token.caller)
        });
        self.told(verified, Scheme::Bearer)
    }

    /// Tells the observer of a result, and makes the refusal.
    pub(crate) fn told<C>(
        &self,
        verified: Result<Caller<C>, Reason>,
        scheme: Scheme,
    ) -> Result<Caller<C>, Refusal> {
        let observer = &self.0.environment.observer;
        match verified {
            Ok(caller) => {
                observer.accepted(&Accepted { issuer: caller.issuer(), client_id: caller.client_id() });
                Ok(caller)
            }
            Err(reason) => {
                observer.refused(&reason);
                Err(self.refuse(reason, scheme))
            }
        }
    }

    /// All checks but those of the sender.
    pub(crate) async fn admit<C: DeserializeOwned>(
        &self,
        token: &str,
        scheme: Scheme,
        waits: Waits,
        observer: &mut (impl CheckObserver + Send),
    ) -> Result<Unconfirmed<C>, Reason> {
        let Inner { issuers, rules, environment, .. } = &*self.0;
        if let Some(introspector) =
            self.0.introspector.as_ref().filter(|it| is_opaque(token) && it.takes(token))
        {
            return self.admit_opaque(introspector, token, scheme, waits).await;
        }
        let parts = Parts::split(token, observer)?;
        let (header, claims) = parts.members(observer)?;
        let header = Header::read(&header, &NOT_ALLOWED, rules.algorithms, observer)?;
        let find = |name| issuers.find(name, environment.clock.now()).ok_or(TokenError::ForeignIssuer);
        let issuer = observer.check(Check::Issuer, claims.required("iss").and_then(find))?;
        let keys = issuer.keys_with(header.kid, environment, waits).await?;
        let now = environment.clock.now().unix.as_secs();
        let key = check_key(&header, &keys.value, observer)?;
        let is_signed = self.is_signed(token, &parts, key);
        observer.check(Check::Signature, ensure(is_signed, TokenError::SignatureInvalid))?;
        let RegisteredClaims { exp, iat, .. } = rules.check_claims(&claims, header.typ, now, observer)?;
        let kind = KindClaims::read(&claims, &parts.claims).and_then(|kind| {
            let own = serde_json::from_str(&parts.claims).map_err(|_| TokenError::Malformed)?;
            Ok((kind, own))
        });
        let (kind, own) = observer.check(Check::KindClaims, kind)?;
        if let Some(feed) = issuer.feed(environment, waits).await? {
            let KindClaims { sub, client_id, jti, sid, grant_id, .. } = kind;
            let token = TokenFacts { client_id, jti, iat, kid: header.kid, sub, sid, grant_id };
            observer.check(Check::Revocation, ensure(!feed.value.revokes(&token), TokenError::Revoked))?;
        }
        Ok(self.unconfirmed(issuer, kind, exp, own, scheme))
    }

    /// Whether the key signed the token, now or when the token came before.
    fn is_signed(&self, token: &str, parts: &Parts<'_>, key: &PublicKey) -> bool {
        let remembered = &self.0.remembered;
        let signed = remembered.signed_token(key.thumbprint, token);
        if signed.is_some_and(|signed| remembered.has(&signed)) {
            return true;
        }
        let is_signed = key.verifies(parts.signed.as_bytes(), &parts.signature);
        if let Some(signed) = signed.filter(|_| is_signed) {
            remembered.add(signed);
        }
        is_signed
    }

    /// The caller of a token with these claims.
    pub(crate) fn unconfirmed<C>(
        &self,
        issuer: Arc<IssuerState>,
        kind: KindClaims<'_>,
        expires_at: u64,
        claims: C,
        scheme: Scheme,
    ) -> Unconfirmed<C> {
        Unconfirmed {
            confirmation: kind.confirmation,
            caller: Caller {
                issuer,
                subject: kind.sub.into(),
                client_id: kind.client_id.into(),
                token_id: kind.jti.into(),
                scope: kind.scope.unwrap_or_default().into(),
                expires_at,
                claims,
                scheme,
                challenge: Arc::clone(&self.0.challenge),
            },
        }
    }

    fn refuse(&self, reason: Reason, scheme: Scheme) -> Refusal {
        // Each fetch that failed is a warning; a request is not, because requests may be many.
        tracing::debug!(%reason, "refused");
        Refusal { reason, scheme, challenge: Arc::clone(&self.0.challenge) }
    }

    /// The result of a future that never waits.
    fn now_or_not_ready<T>(&self, verifying: impl Future<Output = Result<T, Refusal>>) -> Result<T, Refusal> {
        match pin!(verifying).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(result) => result,
            Poll::Pending => {
                let reason = Reason::NotReady { retry_after: Duration::from_secs(1) };
                Err(self.refuse(reason, Scheme::Bearer))
            }
        }
    }
}

impl TokenRules {
    /// Checks the claims that every token has.
    fn check_claims<'c>(
        &self,
        claims: &'c Members<'_>,
        typ: Option<&str>,
        now: u64,
        observer: &mut impl CheckObserver,
    ) -> Result<RegisteredClaims<'c>, TokenError> {
        let registered = observer.check(Check::RegisteredClaims, RegisteredClaims::read(claims))?;
        registered.check_times(now, self.leeway, observer)?;
        let is_expected = |typ| self.typs.iter().any(|expected| same_media_type(typ, expected));
        observer.check(Check::Typ, ensure(typ.is_some_and(is_expected), TokenError::WrongTyp))?;
        let is_for_us = registered.is_for(&self.audiences);
        observer.check(Check::Audience, ensure(is_for_us, TokenError::WrongAudience))?;
        Ok(registered)
    }
}

impl From<Unavailable> for Reason {
    fn from(Unavailable { retry_after }: Unavailable) -> Self {
        Self::NotReady { retry_after }
    }
}

/// Whether a text may be an opaque token: a JWT has dots, and a token is printable (RFC 6750 §2.1).
fn is_opaque(token: &str) -> bool {
    let is_printable = token.bytes().all(|byte| byte.is_ascii_graphic());
    !token.is_empty() && token.len() <= LONGEST_TOKEN && is_printable && !token.contains('.')
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::KeySet;
    use crate::{Clock, Moment, Trusted};

    struct Fixed(u64);

    impl Clock for Fixed {
        fn now(&self) -> Moment {
            Moment { monotonic: Duration::ZERO, unix: Duration::from_secs(self.0) }
        }
    }

    #[test]
    fn only_the_exact_valid_token_is_remembered() {
        let file: Value = serde_json::from_str(include_str!("../../vectors/form.json")).unwrap();
        let text = |name: &str| file[name].as_str().unwrap();
        let token = file["cases"][0]["token"].as_str().unwrap();
        let forged = format!("{}AAAA", &token[..token.len() - 4]);
        let verifier = |most: usize| {
            let keys = KeySet::read(&file["key_set"].to_string()).unwrap();
            let builder = Verifier::builder().issuer(Trusted::issuer(text("issuer")).key_set(keys));
            let clock = Arc::new(Fixed(file["now"].as_u64().unwrap()));
            builder.audience(text("audience")).remember(most).clock(clock).build().unwrap()
        };
        let keys = KeySet::read(&file["key_set"].to_string()).unwrap();
        let remembered = |verifier: &Verifier, token: &str| {
            let key = keys.kids().find_map(|kid| keys.key(kid)).unwrap();
            verifier.0.remembered.signed_token(key.thumbprint, token)
        };
        let accepts = |verifier: &Verifier, token: &str| verifier.verify_now::<Value>(token).is_ok();
        let verifier_of_ten = verifier(10);
        let has =
            |token: &str| verifier_of_ten.0.remembered.has(&remembered(&verifier_of_ten, token).unwrap());
        assert!(!accepts(&verifier_of_ten, &forged) && !has(&forged), "a refused token is not remembered");
        assert!(!has(token) && accepts(&verifier_of_ten, token) && has(token));
        assert!(accepts(&verifier_of_ten, token) && !accepts(&verifier_of_ten, &forged));
        // The verifier accepts a forged token that is in its memory, which shows that it uses the memory.
        verifier_of_ten.0.remembered.add(remembered(&verifier_of_ten, &forged).unwrap());
        assert!(accepts(&verifier_of_ten, &forged));
        let verifier_of_none = verifier(0);
        assert!(accepts(&verifier_of_none, token) && remembered(&verifier_of_none, token).is_none());
    }
}
