//! The claims of an access token that are checked after the signature (RFC 7519 §4.1, RFC 9068 §2.2): all but `scope` and `cnf` are required,
//! and times are whole seconds.

use crate::TokenError;
use crate::check::{Check, CheckObserver, ensure};
use crate::confirmation::Confirmation;
use crate::members::{Member, Members};

/// `aud` and the times.
pub(crate) struct RegisteredClaims<'a> {
    aud: &'a Member<'a>,
    pub(crate) exp: u64,
    pub(crate) iat: u64,
    nbf: u64,
}

/// Who calls, with which rights.
pub(crate) struct KindClaims<'a> {
    pub(crate) sub: &'a str,
    pub(crate) client_id: &'a str,
    pub(crate) jti: &'a str,
    pub(crate) scope: Option<&'a str>,
    /// Other issuers may mean anything by it.
    pub(crate) sid: Option<&'a str>,
    pub(crate) grant_id: Option<&'a str>,
    pub(crate) confirmation: Confirmation,
}

impl<'a> RegisteredClaims<'a> {
    pub(crate) fn read(claims: &'a Members<'_>) -> Result<Self, TokenError> {
        let time = |name| match claims.get(name) {
            Some(Member::Number(seconds)) => Ok(*seconds),
            _ => Err(TokenError::Malformed),
        };
        let aud = claims.get("aud").filter(|aud| matches!(aud, Member::Text(_) | Member::Texts(_)));
        let aud = aud.ok_or(TokenError::Malformed)?;
        Ok(Self { aud, exp: time("exp")?, iat: time("iat")?, nbf: time("nbf")? })
    }

    /// `exp` has no leeway; `nbf` and `iat` may be ahead by so many seconds.
    pub(crate) fn check_times(
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
    pub(crate) fn is_for(&self, audiences: &[Box<str>]) -> bool {
        let is_ours = |name: &str| audiences.iter().any(|audience| **audience == *name);
        match self.aud {
            Member::Text(name) => is_ours(name),
            Member::Texts(names) => names.iter().any(|name| is_ours(name)),
            Member::Number(_) | Member::Other => false,
        }
    }
}

impl<'a> KindClaims<'a> {
    pub(crate) fn read(members: &'a Members<'_>, json: &str) -> Result<Self, TokenError> {
        let optional = |name| members.text(name).ok().flatten();
        Ok(Self {
            sub: members.required("sub")?,
            client_id: members.required("client_id")?,
            jti: members.required("jti")?,
            scope: members.text("scope")?,
            sid: optional("sid"),
            grant_id: optional("grant_id"),
            confirmation: Confirmation::read(members, json)?,
        })
    }
}
