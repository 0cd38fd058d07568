//! The registered claims that are checked after the signature (RFC 7519 §4.1): all are required, and times
//! are whole seconds.

use crate::TokenError;
use crate::check::{Check, CheckObserver, ensure};
use crate::members::{Member, Members};

/// `aud` and the times.
pub struct RegisteredClaims<'a> {
    aud: &'a Member<'a>,
    /// The second in which the token ends.
    pub exp: u64,
    /// The second in which it was issued.
    pub iat: u64,
    nbf: u64,
}

impl<'a> RegisteredClaims<'a> {
    /// Reads them.
    ///
    /// # Errors
    /// [`TokenError::Malformed`].
    pub fn read(claims: &'a Members<'_>) -> Result<Self, TokenError> {
        let time = |name| match claims.get(name) {
            Some(Member::Number(seconds)) => Ok(*seconds),
            _ => Err(TokenError::Malformed),
        };
        let aud = claims.get("aud").filter(|aud| matches!(aud, Member::Text(_) | Member::Texts(_)));
        let aud = aud.ok_or(TokenError::Malformed)?;
        Ok(Self { aud, exp: time("exp")?, iat: time("iat")?, nbf: time("nbf")? })
    }

    /// Checks the times: `exp` has no leeway; `nbf` and `iat` may be ahead by this number of seconds.
    ///
    /// # Errors
    /// [`TokenError::Expired`], [`TokenError::NotYetValid`].
    pub fn check_times(
        &self,
        now: u64,
        leeway: u64,
        observer: &mut impl CheckObserver,
    ) -> Result<(), TokenError> {
        let reached = |time| ensure(time <= now.saturating_add(leeway), TokenError::NotYetValid);
        observer.check(Check::Expiry, ensure(now < self.exp, TokenError::Expired))?;
        observer.check(Check::NotBefore, reached(self.nbf))?;
        observer.check(Check::IssuedAt, reached(self.iat))
    }

    /// Whether one of the audiences is among those of the token, compared exactly.
    #[must_use]
    pub fn is_for(&self, audiences: &[impl AsRef<str>]) -> bool {
        let is_ours = |name: &str| audiences.iter().any(|audience| audience.as_ref() == name);
        match self.aud {
            Member::Text(name) => is_ours(name),
            Member::Texts(names) => names.iter().any(|name| is_ours(name)),
            Member::Number(_) | Member::Other => false,
        }
    }
}
