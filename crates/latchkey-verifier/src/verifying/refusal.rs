//! A refusal and its rendering: status, headers and body (RFC 6750 §3, RFC 9449 §7.1, RFC 9728 §5.1), the
//! same for every web framework.

use std::fmt;
use std::fmt::Write as _;
use std::sync::Arc;

use crate::{Algorithm, Reason};

/// Why a request is refused, and what to answer. `Display` is for a log: it has no token.
#[derive(Clone, Debug)]
pub struct Refusal {
    pub(crate) reason: Reason,
    /// The scheme with which the token was presented.
    pub(crate) scheme: Scheme,
    pub(crate) challenge: Arc<Challenge>,
}

/// How a token is presented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    Bearer,
    Dpop,
}

/// The values of a verifier's challenges.
#[derive(Debug, Default)]
pub(crate) struct Challenge {
    pub(crate) realm: Option<Box<str>>,
    /// RFC 9728 §5.1.
    pub(crate) resource_metadata: Option<Box<str>>,
    /// Whether tokens that are bound to a DPoP key can be accepted.
    pub(crate) offers_dpop: bool,
}

impl Refusal {
    /// Why the request is refused.
    #[must_use]
    pub const fn reason(&self) -> &Reason {
        &self.reason
    }

    /// The status of the answer.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self.reason {
            Reason::SeveralTokens => 400,
            Reason::NoToken | Reason::Token(_) | Reason::Sender(_) | Reason::Proof(_) => 401,
            Reason::InsufficientScope(_) => 403,
            // The status is not 401, because a client would drop a valid token.
            Reason::NotReady { .. } => 503,
        }
    }

    /// The headers of the answer, in their order.
    #[must_use]
    pub fn headers(&self) -> Vec<(&'static str, String)> {
        let mut headers = vec![("cache-control", "no-store".to_owned())];
        match &self.reason {
            Reason::NotReady { retry_after } => {
                headers.push(("retry-after", retry_after.as_secs().max(1).to_string()));
            }
            Reason::NoToken => {
                headers.push(("www-authenticate", self.challenge(Scheme::Bearer)));
                if self.challenge.offers_dpop {
                    headers.push(("www-authenticate", self.challenge(Scheme::Dpop)));
                }
            }
            _ => headers.push(("www-authenticate", self.challenge(self.scheme))),
        }
        if self.reason.code().is_some() {
            headers.push(("content-type", "application/json".to_owned()));
        }
        headers
    }

    /// The body of the answer; empty where no token was sent.
    #[must_use]
    pub fn body(&self) -> String {
        let Some(code) = self.reason.code() else { return String::new() };
        serde_json::json!({ "error": code, "error_description": self.reason.description() }).to_string()
    }

    fn challenge(&self, scheme: Scheme) -> String {
        let mut parameters: Vec<String> = Vec::new();
        let mut add = |name: &str, value: &str| parameters.push(format!("{name}=\"{value}\""));
        if let Some(realm) = &self.challenge.realm {
            add("realm", realm);
        }
        if let Some(code) = self.reason.code() {
            add("error", code);
            add("error_description", &self.reason.description());
        }
        if let Reason::InsufficientScope(scope) = &self.reason
            && is_quotable(scope)
        {
            add("scope", scope);
        }
        if let Some(url) = &self.challenge.resource_metadata {
            add("resource_metadata", url);
        }
        let mut name = String::from("Bearer");
        if scheme == Scheme::Dpop {
            name = String::from("DPoP");
            add("algs", &Algorithm::ALL.map(Algorithm::as_str).join(" "));
        }
        let _ = write!(name, " {}", parameters.join(", "));
        name.trim_end().to_owned()
    }
}

/// Whether a text can be in a quoted string of a challenge as it is.
pub(crate) fn is_quotable(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' ' | 0x21 | 0x23..=0x5B | 0x5D..=0x7E))
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.reason.fmt(f)
    }
}

impl std::error::Error for Refusal {}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{SenderError, TokenError};

    #[track_caller]
    fn check(reason: Reason, scheme: Scheme, status: u16, headers: &[(&str, &str)], body: &str) {
        let challenge = Challenge {
            realm: Some("orders".into()),
            resource_metadata: Some("https://orders.example.com/.well-known/oauth-protected-resource".into()),
            offers_dpop: true,
        };
        let refusal = Refusal { reason, scheme, challenge: Arc::new(challenge) };
        let found = refusal.headers();
        let found: Vec<_> = found.iter().map(|(name, value)| (*name, value.as_str())).collect();
        assert_eq!((refusal.status(), found.as_slice(), refusal.body().as_str()), (status, headers, body));
    }

    #[test]
    fn each_refusal_has_its_status_headers_and_body() {
        const METADATA: &str =
            "resource_metadata=\"https://orders.example.com/.well-known/oauth-protected-resource\"";
        const ALGS: &str = "algs=\"RS256 RS384 RS512 PS256 ES256 ES384 EdDSA\"";
        const NO_STORE: (&str, &str) = ("cache-control", "no-store");
        const JSON: (&str, &str) = ("content-type", "application/json");
        let [bearer, dpop] = [METADATA.to_owned(), format!("{METADATA}, {ALGS}")];
        let [bearer, dpop] = [("Bearer", bearer), ("DPoP", dpop)]
            .map(|(scheme, end)| ("www-authenticate", format!("{scheme} realm=\"orders\", {end}")));
        let headers = [NO_STORE, (bearer.0, &bearer.1), (dpop.0, &dpop.1)];
        check(Reason::NoToken, Scheme::Bearer, 401, &headers, "");
        let [expired, other_key] =
            [Reason::Token(TokenError::Expired), Reason::Sender(SenderError::OtherKey)];
        let scope = Reason::InsufficientScope("orders:write".into());
        let with_scope = format!("scope=\"orders:write\", {METADATA}");
        let not_bound = "Token is not bound to the key of the DPoP proof";
        let too_little = "Token does not have the required scope";
        for (reason, scheme, status, error, why, end) in [
            (expired, "Bearer", 401, "invalid_token", "Token has expired", METADATA),
            (other_key, "DPoP", 401, "invalid_token", not_bound, &format!("{METADATA}, {ALGS}")),
            (scope, "Bearer", 403, "insufficient_scope", too_little, &with_scope),
        ] {
            let challenge =
                format!("{scheme} realm=\"orders\", error=\"{error}\", error_description=\"{why}\", {end}");
            let scheme = if scheme == "DPoP" { Scheme::Dpop } else { Scheme::Bearer };
            let body = format!(r#"{{"error":"{error}","error_description":"{why}"}}"#);
            check(reason, scheme, status, &[NO_STORE, ("www-authenticate", &challenge), JSON], &body);
        }
        let body =
            r#"{"error":"temporarily_unavailable","error_description":"Token cannot be verified for now"}"#;
        let not_ready = Reason::NotReady { retry_after: Duration::from_secs(4) };
        check(not_ready, Scheme::Bearer, 503, &[NO_STORE, ("retry-after", "4"), JSON], body);
    }

    #[test]
    fn tokens_without_valid_signature_get_equal_answers() {
        let answer = |error| {
            let refusal =
                Refusal { reason: Reason::Token(error), scheme: Scheme::Bearer, challenge: Arc::default() };
            (refusal.status(), refusal.headers(), refusal.body())
        };
        let expected = answer(TokenError::ForeignIssuer);
        for error in [
            TokenError::Malformed,
            TokenError::HeaderNotAllowed,
            TokenError::AlgorithmNotAllowed,
            TokenError::UnknownKey,
            TokenError::SignatureInvalid,
        ] {
            assert_eq!(answer(error), expected, "{error:?}");
        }
        for error in [TokenError::Expired, TokenError::WrongAudience, TokenError::Revoked] {
            assert_ne!(answer(error), expected, "{error:?}");
        }
    }

    #[test]
    fn a_scope_cannot_break_out_of_its_quotes() {
        let reason = Reason::InsufficientScope("a\", realm=\"b".into());
        let refusal = Refusal { reason, scheme: Scheme::Bearer, challenge: Arc::default() };
        assert!(!refusal.headers()[1].1.contains("realm"), "{:?}", refusal.headers());
    }
}
