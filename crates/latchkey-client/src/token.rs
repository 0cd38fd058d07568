//! A token with its lifetime, and its header.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use reqwest::Client;
use reqwest::header::HeaderValue;
use zeroize::Zeroizing;

use crate::moment::Clocks;
use crate::state::{Cacheable, Life};

/// How a token is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenKind {
    /// `Authorization: Bearer …` (RFC 6750).
    Bearer,
    /// `Authorization: DPoP …` beside a proof (RFC 9449 §7.1).
    Dpop,
}

impl TokenKind {
    /// The scheme of the header.
    pub const fn scheme(self) -> &'static str {
        match self {
            Self::Bearer => "Bearer",
            Self::Dpop => "DPoP",
        }
    }
}

/// An access token. Its memory is wiped when the last clone is dropped; `Debug` does not show it.
#[derive(Clone)]
pub struct AccessToken(pub(crate) Arc<TokenContent>);

pub(crate) struct TokenContent {
    /// The only copy of the token.
    pub(crate) header: HeaderValue,
    kind: TokenKind,
    scope: Vec<String>,
    granted_less: bool,
    pub(crate) life: Life,
    calls: Option<Client>,
    clock: Clocks,
}

/// The answer of a token endpoint.
pub(crate) struct TokenAnswer<'a> {
    pub(crate) token: &'a str,
    pub(crate) kind: TokenKind,
    pub(crate) scope: Vec<String>,
    pub(crate) granted_less: bool,
    pub(crate) life: Life,
    /// Presents the certificate with which it was requested.
    pub(crate) calls: Option<Client>,
}

impl AccessToken {
    /// `None` for a token that no header can carry.
    pub(crate) fn new(granted: TokenAnswer<'_>, clock: Clocks) -> Option<Self> {
        let TokenAnswer { token, kind, scope, granted_less, life, calls } = granted;
        if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return None;
        }
        let mut text = Zeroizing::new(Vec::with_capacity(kind.scheme().len() + 1 + token.len()));
        for part in [kind.scheme(), " ", token] {
            text.extend_from_slice(part.as_bytes());
        }
        // The header shares these bytes, and the last of its clones wipes them.
        let mut header = HeaderValue::from_maybe_shared(Bytes::from_owner(text)).ok()?;
        header.set_sensitive(true);
        Some(Self(Arc::new(TokenContent { header, kind, scope, granted_less, life, calls, clock })))
    }

    /// The token itself, to be sent and never to be logged.
    pub fn expose(&self) -> &str {
        let text = self.0.header.to_str().unwrap_or_default();
        text.get(self.0.kind.scheme().len() + 1..).unwrap_or_default()
    }

    /// The value of the header `Authorization`, marked as sensitive. A bound token needs more:
    /// [`crate::TokenSource::proof`], [`Self::http_client`].
    pub fn authorization(&self) -> HeaderValue {
        self.0.header.clone()
    }

    /// How it is sent.
    pub fn kind(&self) -> TokenKind {
        self.0.kind
    }

    /// How long it is still valid.
    pub fn expires_in(&self) -> Duration {
        self.0.life.rest(self.0.clock.now())
    }

    /// How long it was valid when it was requested.
    pub fn lifetime(&self) -> Duration {
        self.0.life.schedule.lifetime()
    }

    /// The scopes that were granted.
    pub fn scope(&self) -> &[String] {
        &self.0.scope
    }

    /// The HTTP client that presents the certificate with which the token was requested. `None` for a token
    /// that was requested without one. The token may be bound to the certificate (RFC 8705 §3), so it must be
    /// sent with this client only. [`crate::SendWith`] uses this client by itself. After the certificate was
    /// renewed, a new token has another client.
    pub fn http_client(&self) -> Option<&Client> {
        self.0.calls.as_ref()
    }

    /// Whether the server granted fewer scopes than were requested.
    pub fn granted_less(&self) -> bool {
        self.0.granted_less
    }
}

impl Cacheable for AccessToken {
    fn life(&self) -> Life {
        self.0.life
    }

    fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = self.kind().scheme();
        write!(f, "AccessToken([redacted], {kind}, ends in {})", span(self.expires_in()))
    }
}

/// A span of time for people: `54 min`.
fn span(span: Duration) -> String {
    match span.as_secs() {
        seconds @ 0..=119 => format!("{seconds} s"),
        seconds @ 120..=7199 => format!("{} min", seconds / 60),
        seconds => format!("{} h", seconds / 3600),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::schedule::Schedule;

    fn granted(token: &str, life: Life) -> TokenAnswer<'_> {
        TokenAnswer {
            token,
            kind: TokenKind::Bearer,
            scope: Vec::new(),
            granted_less: false,
            life,
            calls: None,
        }
    }

    /// A token whose request began now.
    pub(crate) fn token(text: &str, lifetime: Duration, chance: f64, clock: &Clocks) -> AccessToken {
        let life = Life { begun: clock.now(), schedule: Schedule::new(lifetime, chance) };
        AccessToken::new(granted(text, life), clock.clone()).expect("visible ASCII")
    }

    #[test]
    fn header_has_the_token_and_debug_hides_it() {
        let token = token("abc.def", Duration::from_secs(3270), 0.0, &Clocks::new());
        assert_eq!(token.expose(), "abc.def");
        assert_eq!(token.authorization().to_str().unwrap(), "Bearer abc.def");
        let shown = format!("{token:?} {:?}", token.authorization());
        assert_eq!(shown, "AccessToken([redacted], Bearer, ends in 54 min) Sensitive");
    }

    #[test]
    fn token_invalid_in_a_header_is_refused() {
        let life = Life { begun: Clocks::new().now(), schedule: Schedule::new(Duration::from_secs(1), 0.0) };
        for text in ["", "a b", "a\r\nb", "\u{e9}"] {
            assert!(AccessToken::new(granted(text, life), Clocks::new()).is_none(), "{text:?}");
        }
    }
}
