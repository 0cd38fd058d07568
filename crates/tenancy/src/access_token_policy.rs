//! The format and lifetime of a tenant's access tokens (RFC 9068 §2.1).

use protocol::StaticClaims;
use serde::{Deserialize, Serialize};
use values::{Lifetime, Timestamp, named};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessTokenPolicy {
    /// The lifetime of a token, unless the client has its own.
    pub lifetime: Lifetime,
    pub format: TokenFormat,
    /// How long identical requests get the same token, unless the client has its own window.
    #[serde(default)]
    pub reuse: ReuseWindow,
    /// The `typ` header of new tokens.
    pub typ: String,
    /// Whether each token must be bound to a key that its sender proves to have (RFC 9449, RFC 8705).
    pub require_sender_constraint: bool,
    /// Whether each DPoP proof must contain a nonce from the server (RFC 9449 §8).
    pub require_dpop_nonce: bool,
    /// The claims of each token, in addition to those of its grant.
    #[serde(default)]
    pub claims: StaticClaims,
    /// The claims of RFC 9068 §2.2.3 that tokens may contain.
    #[serde(default)]
    pub claims_allow: Vec<String>,
    /// Previous `typ` values, each accepted until the last token with it has expired.
    pub previous_typs: Vec<PreviousTyp>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreviousTyp {
    pub typ: String,
    /// When the last token with this `typ` expires.
    pub accepted_until: Timestamp,
}

/// In the order of who can read them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenFormat {
    /// A signed JWT (RFC 9068).
    Jwt,
    /// Encrypted for the server, which introspects it (RFC 7662).
    Opaque,
}

named!(TokenFormat { Jwt => "jwt", Opaque => "opaque" });

/// The part of a token's lifetime in which identical requests get the same token, in percent. Zero means
/// that each request gets its own token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, derive_more::Display)]
#[display("{_0}%")]
pub struct ReuseWindow(u8);

impl ReuseWindow {
    /// The maximum percentage: every token is valid for at least half of its lifetime.
    pub const MOST: u8 = 50;

    /// Parses a percentage such as `20%`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let percent = text.strip_suffix('%').filter(|digits| !digits.starts_with('+'))?.parse().ok()?;
        (percent <= Self::MOST).then_some(Self(percent))
    }

    /// `None` if each request gets its own token.
    #[must_use]
    pub fn of(self, lifetime: Lifetime) -> Option<Lifetime> {
        let seconds =
            lifetime.seconds() / 100 * u64::from(self.0) + lifetime.seconds() % 100 * u64::from(self.0) / 100;
        (seconds > 0).then(|| Lifetime::from_seconds(seconds))
    }
}

/// A client's own settings, which override those of its tenant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenOverrides {
    pub format: Option<TokenFormat>,
    pub reuse: Option<ReuseWindow>,
}

impl TokenOverrides {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl AccessTokenPolicy {
    /// Whether a token with this `typ` header is an access token of the tenant. Without this check, an ID
    /// token or a client assertion could be used as an access token (RFC 8725 §3.11).
    #[must_use]
    pub fn accepts_typ(&self, typ: Option<&str>, now: Timestamp) -> bool {
        let Some(typ) = typ else { return false };
        same_media_type(typ, &self.typ)
            || self
                .previous_typs
                .iter()
                .any(|previous| now < previous.accepted_until && same_media_type(typ, &previous.typ))
    }
}

impl Default for AccessTokenPolicy {
    fn default() -> Self {
        Self {
            lifetime: Lifetime::from_seconds(3600),
            format: TokenFormat::Jwt,
            reuse: ReuseWindow::default(),
            typ: "at+jwt".to_owned(),
            require_sender_constraint: false,
            require_dpop_nonce: false,
            claims: StaticClaims::default(),
            claims_allow: Vec::new(),
            previous_typs: Vec::new(),
        }
    }
}

/// Whether two `typ` values are the same media type. Media types ignore case (RFC 2045 §5.1).
#[must_use]
pub fn same_media_type(left: &str, right: &str) -> bool {
    bare_media_type(left).eq_ignore_ascii_case(bare_media_type(right))
}

/// A `typ` without the prefix: "It is RECOMMENDED that the 'application/' prefix be omitted" (RFC 7515
/// §4.1.9).
#[must_use]
pub fn bare_media_type(typ: &str) -> &str {
    const PREFIX: &str = "application/";
    match typ.get(..PREFIX.len()) {
        Some(prefix) if prefix.eq_ignore_ascii_case(PREFIX) => &typ[PREFIX.len()..],
        _ => typ,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reuse_window_is_a_percentage_of_the_lifetime() {
        for (text, lifetime, seconds) in
            [("20%", 3600, Some(720)), ("0%", 3600, None), ("50%", 3, Some(1)), ("10%", 9, None)]
        {
            let window = ReuseWindow::parse(text).unwrap();
            assert_eq!(window.to_string(), text);
            assert_eq!(window.of(Lifetime::from_seconds(lifetime)).map(Lifetime::seconds), seconds, "{text}");
        }
        for text in ["51%", "20", "%", "-1%", "+1%", "1.5%", " 1%", "300%"] {
            assert_eq!(ReuseWindow::parse(text), None, "{text}");
        }
    }

    // [jwt RFC 8725 §3.11, §3.12]: `typ` distinguishes kinds of token
    // [access-tokens RFC 9068 §4]
    #[test]
    fn typ_matches_ignoring_case_and_previous_typ_expires() {
        let at = Timestamp::from_seconds;
        let previous = PreviousTyp { typ: "JWT".to_owned(), accepted_until: at(100) };
        let policy = AccessTokenPolicy { previous_typs: vec![previous], ..AccessTokenPolicy::default() };
        for good in ["at+jwt", "AT+JWT", "application/at+jwt", "Application/at+jwt"] {
            assert!(policy.accepts_typ(Some(good), at(200)), "{good}");
        }
        assert!(policy.accepts_typ(Some("jwt"), at(99)));
        for (bad, now) in [(Some("JWT"), 100), (Some("id+jwt"), 1), (Some(""), 1), (None, 1)] {
            assert!(!policy.accepts_typ(bad, at(now)), "{bad:?}");
        }
    }
}
