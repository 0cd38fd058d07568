//! The caller of a request: the content of its access token, after all checks.

use std::fmt;
use std::sync::Arc;

use serde::de::IgnoredAny;

use crate::Reason;
use crate::verifying::issuer::IssuerState;
use crate::verifying::refusal::{Challenge, Refusal, Scheme};

/// The caller of a request. Only a verifier creates one. `C` are the claims that the API itself reads.
#[derive(Clone)]
pub struct Caller<C = IgnoredAny> {
    pub(crate) issuer: Arc<IssuerState>,
    pub(crate) subject: Box<str>,
    pub(crate) client_id: Box<str>,
    pub(crate) token_id: Box<str>,
    pub(crate) scope: Box<str>,
    pub(crate) expires_at: u64,
    pub(crate) claims: C,
    pub(crate) scheme: Scheme,
    pub(crate) challenge: Arc<Challenge>,
}

impl<C> Caller<C> {
    /// The issuer of its token.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer.name
    }

    /// The tenant of its token: the one that is configured for the issuer, or that of the platform's issuer.
    #[must_use]
    pub fn tenant(&self) -> Option<&str> {
        self.issuer.tenant.as_deref()
    }

    /// The client that requested the token.
    #[must_use]
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// `sub`: a person, or the client itself.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// Whether the client calls for itself, and no person is involved.
    #[must_use]
    pub fn is_machine(&self) -> bool {
        self.subject == self.client_id
    }

    /// `jti`, for a log.
    #[must_use]
    pub fn token_id(&self) -> &str {
        &self.token_id
    }

    /// When the token expires, in seconds since 1970.
    #[must_use]
    pub const fn expires_at(&self) -> u64 {
        self.expires_at
    }

    /// The scopes of the token.
    pub fn scopes(&self) -> impl Iterator<Item = &str> {
        self.scope.split(' ').filter(|scope| !scope.is_empty())
    }

    /// Whether the token has this scope.
    #[must_use]
    pub fn has(&self, scope: &str) -> bool {
        self.scopes().any(|held| held == scope)
    }

    /// Refuses a caller whose token lacks this scope.
    ///
    /// # Errors
    /// A [`Refusal`] with status 403 and `insufficient_scope`.
    pub fn require(&self, scope: &str) -> Result<(), Refusal> {
        if self.has(scope) {
            return Ok(());
        }
        Err(Refusal {
            reason: Reason::InsufficientScope(scope.into()),
            scheme: self.scheme,
            challenge: Arc::clone(&self.challenge),
        })
    }

    /// The claims of the API's own type.
    #[must_use]
    pub const fn claims(&self) -> &C {
        &self.claims
    }

    /// Returns the claims as an owned value.
    #[must_use]
    pub fn into_claims(self) -> C {
        self.claims
    }
}

/// Shows the caller without the token's claims about a person.
impl<C> fmt::Debug for Caller<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Caller({} of {})", self.client_id, self.issuer.name)
    }
}
