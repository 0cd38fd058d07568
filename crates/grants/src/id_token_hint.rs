//! An ID token of this server that a client sends back as a hint (OpenID Connect Core §3.1.2.1,
//! RP-Initiated Logout §2). The server accepts an expired hint, because the hint only names a
//! person and gives no access.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use keys::{Expectations, TokenError, VerificationKeys};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tenancy::Tenant;
use values::{Lifetime, Timestamp};

use crate::{Grantee, NamedPerson, Subjects, id_token};

/// A verified hint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdTokenHint {
    /// The client that the ID token was issued to.
    pub aud: String,
    /// The person's `sub` at that client.
    sub: String,
    pub person: NamedPerson,
}

impl IdTokenHint {
    pub(crate) fn new(claims: HintClaims, person: NamedPerson) -> Self {
        Self { aud: claims.aud, sub: claims.sub, person }
    }

    /// Whether this client may send the hint: either the ID token was issued to this client, or
    /// both clients have the same `sub` for the person. Otherwise two sectors could find out that
    /// they know the same person.
    #[must_use]
    pub fn is_for(&self, of: &Grantee<'_>, subjects: &Subjects) -> bool {
        self.aud == of.client.id.as_str() || self.sub == subjects.sub(of, &self.person.account)
    }
}

/// The claims of a hint with a valid signature.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct HintClaims {
    pub(crate) sub: String,
    pub(crate) aud: String,
    pub(crate) sid: Option<String>,
    /// Required, so that no access token is accepted as a hint: only ID tokens have this claim.
    #[serde(rename = "at_hash")]
    _at_hash: String,
}

/// Verifies the hint as if it were a second before its expiry.
pub(crate) fn verify(
    tenant: &Tenant,
    keys: &impl VerificationKeys,
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
    keys::verify(hint, keys, valid_at, &expectations)
}

/// How long a removed key can still verify hints: the maximum duration of a session, and another
/// month in which a client may still send a stored hint.
pub(crate) fn kept(tenant: &Tenant) -> Lifetime {
    const MONTH: u64 = 30 * 86_400;
    let session = tenant.sign_in.session;
    let longest = session.remember.max(session.absolute);
    Lifetime::from_seconds(longest.seconds().saturating_add(MONTH))
}

/// Not verified.
pub(crate) fn kid(token: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct HintHeader {
        kid: String,
    }
    part(token, 0).map(|HintHeader { kid }| kid)
}

/// Not verified.
fn expiry(token: &str) -> Option<Timestamp> {
    #[derive(Deserialize)]
    struct HintTimes {
        exp: u64,
    }
    part(token, 1).map(|HintTimes { exp }| Timestamp::from_seconds(exp))
}

fn part<T: DeserializeOwned>(token: &str, index: usize) -> Option<T> {
    serde_json::from_slice(&BASE64URL.decode(token.split('.').nth(index)?).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_fixtures::acme;

    #[test]
    fn removed_key_is_kept_longest_session_plus_thirty_days() {
        const DAY: u64 = 86_400;
        for (absolute, remember, days) in [(1, 30, 60), (1, 0, 31), (45, 30, 75), (0, 0, 30)] {
            let mut tenant = acme();
            tenant.sign_in.session.absolute = Lifetime::from_seconds(absolute * DAY);
            tenant.sign_in.session.remember = Lifetime::from_seconds(remember * DAY);
            assert_eq!(kept(&tenant), Lifetime::from_seconds(days * DAY), "{absolute} {remember}");
        }
    }

    #[test]
    fn kid_and_expiry_are_read_without_verification() {
        let token =
            |header: &str| format!("{}.{}.c", BASE64URL.encode(header), BASE64URL.encode(r#"{"exp":7}"#));
        let good = token(r#"{"alg":"none","kid":"oauth2-key-1"}"#);
        assert_eq!(
            (kid(&good).as_deref(), expiry(&good)),
            (Some("oauth2-key-1"), Some(Timestamp::from_seconds(7)))
        );
        for bad in ["", "..", "a.b.c", &token("{}"), &token(r#"{"kid":1}"#), &token("[")] {
            assert_eq!(kid(bad), None, "{bad}");
        }
        assert_eq!(expiry("a.b.c"), None);
    }
}
