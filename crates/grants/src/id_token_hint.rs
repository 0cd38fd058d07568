//! An ID token of ours that a client sends back as a hint (OpenID Connect Core §3.1.2.1, RP-Initiated Logout §2). An expired one counts: it
//! says who signed in, and opens nothing.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use keys::{Expectations, KeyRing, TokenError};
use protocol::{Lifetime, Timestamp};
use serde::Deserialize;
use tenancy::Tenant;

use crate::{Grantee, NamedPerson, Subjects, id_token};

/// A hint of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdTokenHint {
    /// The client that it was issued to.
    pub aud: String,
    /// What that client calls the person.
    sub: String,
    /// Who signed in, and the session.
    pub person: NamedPerson,
}

impl IdTokenHint {
    /// A hint with the person whom its names are of.
    pub(crate) fn new(claims: HintClaims, person: NamedPerson) -> Self {
        Self { aud: claims.aud, sub: claims.sub, person }
    }

    /// Whether this client may send it: its own, or one of a client that calls the person the same. Else two sectors would learn that their
    /// people are one.
    #[must_use]
    pub fn is_for(&self, of: &Grantee<'_>, subjects: &Subjects) -> bool {
        self.aud == of.client.id.as_str() || self.sub == subjects.sub(of, &self.person.account)
    }
}

/// The claims of a hint whose signature is right.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct HintClaims {
    /// What the client calls the person.
    pub(crate) sub: String,
    /// The client that it was issued to.
    pub(crate) aud: String,
    /// What the client calls the session.
    pub(crate) sid: Option<String>,
    /// Only ID tokens have it: no access token is a hint.
    #[serde(rename = "at_hash")]
    _at_hash: String,
}

/// Verifies a hint as of a time before its end. The times of a token of ours are ours.
pub(crate) fn verify(
    tenant: &Tenant,
    ring: &KeyRing,
    hint: &str,
    now: Timestamp,
) -> Result<HintClaims, TokenError> {
    let valid_at = expiry(hint).map_or(now, |exp| exp.saturating_sub(Lifetime::from_seconds(1)).min(now));
    let expectations = Expectations {
        is_issuer: &|iss| tenant.issuer.as_str() == iss,
        accepts_typ: &|typ| typ.is_some_and(|typ| typ.eq_ignore_ascii_case(id_token::TYP)),
        audience: None,
        skew: tenant.signing.skew,
    };
    keys::verify(hint, ring, valid_at, &expectations)
}

/// The `exp` that the token claims.
fn expiry(token: &str) -> Option<Timestamp> {
    #[derive(Deserialize)]
    struct Times {
        exp: u64,
    }
    let payload = BASE64URL.decode(token.split('.').nth(1)?).ok()?;
    serde_json::from_slice::<Times>(&payload).ok().map(|times| Timestamp::from_seconds(times.exp))
}
