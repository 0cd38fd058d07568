//! An ID token of ours that a client sends back as a hint (OpenID Connect Core §3.1.2.1, RP-Initiated Logout §2). An expired one counts: it
//! says who signed in, and opens nothing.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use keys::{Expectations, KeyRing, TokenError};
use protocol::{Lifetime, Timestamp};
use serde::Deserialize;
use tenancy::Tenant;

use crate::id_token;

/// The claims of a hint whose signature is right.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct IdTokenHint {
    /// Who signed in.
    pub sub: String,
    /// The client that it was issued to.
    pub aud: String,
    /// The session.
    pub sid: Option<String>,
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
) -> Result<IdTokenHint, TokenError> {
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
