//! The registered claims that are checked after the signature (RFC 7519 §4.1): all are required, and times are whole seconds.

use protocol::{Lifetime, Timestamp};

use crate::observer::Observer;
use crate::unique_members::{Member, UniqueMembers};
use crate::{Check, TokenError};

pub(crate) struct RegisteredClaims<'a> {
    aud: &'a Member<'a>,
    exp: Timestamp,
    iat: Timestamp,
    nbf: Timestamp,
}

impl<'a> RegisteredClaims<'a> {
    pub(crate) fn from_members(claims: &'a UniqueMembers<'_>) -> Result<Self, TokenError> {
        let time = |name| match claims.get(name) {
            Some(Member::Number(seconds)) => Ok(Timestamp::from_seconds(*seconds)),
            _ => Err(TokenError::Malformed),
        };
        let aud = claims.get("aud").filter(|aud| matches!(aud, Member::Text(_) | Member::Texts(_)));
        let aud = aud.ok_or(TokenError::Malformed)?;
        Ok(Self { aud, exp: time("exp")?, iat: time("iat")?, nbf: time("nbf")? })
    }

    /// `exp` has no leeway; `nbf` and `iat` may be ahead by so much.
    pub(crate) fn check_times(
        &self,
        now: Timestamp,
        leeway: Lifetime,
        observer: &mut impl Observer,
    ) -> Result<(), TokenError> {
        let reached =
            |time: Timestamp| if time > now + leeway { Err(TokenError::NotYetValid) } else { Ok(()) };
        observer.check(Check::Expiry, if now >= self.exp { Err(TokenError::Expired) } else { Ok(()) })?;
        observer.check(Check::NotBefore, reached(self.nbf))?;
        observer.check(Check::IssuedAt, reached(self.iat))
    }

    /// Whether the audience is among those of the token, compared exactly.
    pub(crate) fn is_for(&self, audience: &str) -> bool {
        match self.aud {
            Member::Text(name) => name == audience,
            Member::Texts(names) => names.iter().any(|name| name == audience),
            Member::Number(_) | Member::Other => false,
        }
    }
}
