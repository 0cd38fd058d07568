//! What the challenges of an answer say about the token (RFC 6750 §3, RFC 9449 §9).

use reqwest::StatusCode;
use reqwest::header::{HeaderMap, WWW_AUTHENTICATE};

use crate::binding::USE_DPOP_NONCE;

/// Whether an answer says that the token is invalid: 401 with `invalid_token`, or without an error code.
/// Another code, such as `insufficient_scope`, would be the same with another token. Callers that send
/// requests with another library use this: they call
/// [`TokenSource::invalidate`](crate::TokenSource::invalidate) and repeat the request once.
pub fn refuses_token(status: StatusCode, headers: &HeaderMap) -> bool {
    let mut codes = error_codes(headers).peekable();
    status == StatusCode::UNAUTHORIZED
        && (codes.peek().is_none() || codes.any(|code| code == "invalid_token"))
}

/// Whether an answer demands its nonce in the proof (RFC 9449 §9).
pub(crate) fn wants_nonce(status: StatusCode, headers: &HeaderMap) -> bool {
    status == StatusCode::UNAUTHORIZED && error_codes(headers).any(|code| code == USE_DPOP_NONCE)
}

/// The error codes of all challenges.
fn error_codes(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let challenges = headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok());
    challenges.filter_map(error_code)
}

/// The parameter `error` of a challenge (RFC 6750 §3).
fn error_code(challenge: &str) -> Option<&str> {
    let mut rest = challenge;
    loop {
        let at = rest.find("error")?;
        let begins = rest[..at].chars().next_back().is_none_or(|before| matches!(before, ' ' | ',' | '\t'));
        rest = &rest[at + "error".len()..];
        if let Some(value) = rest.trim_start().strip_prefix('=').filter(|_| begins) {
            let value = value.trim_start();
            return match value.strip_prefix('"') {
                Some(quoted) => quoted.split('"').next(),
                None => value.split([',', ' ']).next(),
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_401_about_the_token_counts_as_refusal() {
        for (status, challenge, refuses) in [
            (401, Some(r#"Bearer realm="x", error="invalid_token", error_description="the error=x""#), true),
            (401, Some("Bearer error=invalid_token"), true),
            (401, Some("Bearer realm=\"x\""), true),
            (401, Some("Bearer error_description=\"no error\", error=\"invalid_token\""), true),
            (401, None, true),
            (401, Some(r#"Bearer error="insufficient_scope""#), false),
            (401, Some(r#"Bearer error="invalid_request""#), false),
            (403, Some(r#"Bearer error="invalid_token""#), false),
            (200, None, false),
        ] {
            let headers =
                challenge.map(|text| (WWW_AUTHENTICATE, text.parse().unwrap())).into_iter().collect();
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!(refuses_token(status, &headers), refuses, "{challenge:?}");
        }
    }

    #[test]
    fn one_invalid_token_challenge_is_enough() {
        let mut headers = HeaderMap::new();
        headers.append(WWW_AUTHENTICATE, "DPoP error=\"invalid_request\"".parse().unwrap());
        headers.append(WWW_AUTHENTICATE, "Bearer error=\"invalid_token\"".parse().unwrap());
        assert!(refuses_token(StatusCode::UNAUTHORIZED, &headers));
    }
}
