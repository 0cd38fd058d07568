//! The meaning of a token endpoint's answer, from status, headers and body. This code is pure.

use std::borrow::Cow;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};
use serde::Deserialize;
use serde_json::Value;

use crate::error::printable;
use crate::token::TokenKind;

/// A longer lifetime is taken as this.
const LONGEST: u64 = 10 * 365 * 24 * 3600;

/// Clocks that differ by no more seconds count as equal.
const SAME_CLOCK: i64 = 30;

/// The meaning of an answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict<'a> {
    Granted(Grant<'a>),
    /// An error of RFC 6749 §5.2.
    Rejected {
        code: String,
        description: Option<String>,
    },
    /// The server may answer later.
    Transient {
        why: String,
        retry_after: Option<Duration>,
    },
    /// The answer is not that of a token endpoint.
    Unusable(String),
}

/// A token that was granted.
#[derive(PartialEq, Eq)]
pub(crate) struct Grant<'a> {
    pub(crate) token: Cow<'a, str>,
    pub(crate) kind: TokenKind,
    pub(crate) lifetime: Option<Duration>,
    pub(crate) scope: Option<Vec<String>>,
}

impl std::fmt::Debug for Grant<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Grant([redacted], {:?}, {:?}, {:?})", self.kind, self.lifetime, self.scope)
    }
}

#[derive(Deserialize)]
struct AnswerBody<'a> {
    #[serde(borrow)]
    access_token: Option<Cow<'a, str>>,
    #[serde(borrow)]
    token_type: Option<Cow<'a, str>>,
    #[serde(default)]
    expires_in: Value,
    #[serde(borrow)]
    scope: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct AnswerRefusal<'a> {
    #[serde(borrow)]
    error: Cow<'a, str>,
    #[serde(borrow, default)]
    error_description: Option<Cow<'a, str>>,
}

/// Decides what an answer means. `now` is this machine's time, for a `Retry-After` that is a date. Only a
/// token of the wanted kind is accepted: a token that is bound to a key must not be sent like an unbound one,
/// and an unbound one not like a bound one.
pub(crate) fn judge<'a>(
    status: u16,
    headers: &HeaderMap,
    body: &'a [u8],
    wanted: TokenKind,
    now: SystemTime,
) -> Verdict<'a> {
    if matches!(status, 200..=299) { granted(body, wanted) } else { refused(status, headers, body, now) }
}

/// An answer other than a success.
pub(crate) fn refused<'a>(status: u16, headers: &HeaderMap, body: &'a [u8], now: SystemTime) -> Verdict<'a> {
    match status {
        408 | 425 | 429 | 500..=599 => Verdict::Transient {
            why: format!("it answered {status}"),
            retry_after: retry_after(headers, now),
        },
        400 | 401 | 403 => match serde_json::from_slice::<AnswerRefusal<'_>>(body) {
            Ok(AnswerRefusal { error, error_description }) => Verdict::Rejected {
                code: printable(&error),
                description: error_description.map(|text| printable(&text)),
            },
            Err(_) => Verdict::Unusable(format!("it answered {status} without an error code of OAuth")),
        },
        300..=399 => Verdict::Unusable(format!("it answered {status}; redirects are not followed")),
        _ => Verdict::Unusable(format!("it answered {status}")),
    }
}

fn granted(body: &[u8], wanted: TokenKind) -> Verdict<'_> {
    let unusable = |why: &str| Verdict::Unusable(why.to_owned());
    // The parser's message could quote the token.
    let Ok(AnswerBody { access_token, token_type, expires_in, scope }) = serde_json::from_slice(body) else {
        return unusable("it is no token answer in JSON (RFC 6749 §5.1)");
    };
    let Some(token) = access_token.filter(|token| !token.is_empty()) else {
        return unusable("it has no `access_token`");
    };
    let kind = match token_type {
        Some(kind) if kind.eq_ignore_ascii_case(wanted.scheme()) => wanted,
        Some(kind) => {
            return Verdict::Unusable(format!(
                "`token_type` is `{}`, which was not requested",
                printable(&kind)
            ));
        }
        None => return unusable("it has no `token_type`"),
    };
    let Ok(lifetime) = lifetime(&expires_in) else {
        return unusable("`expires_in` is no whole number of seconds");
    };
    let scope = scope.map(|scope| scope.split_ascii_whitespace().map(str::to_owned).collect());
    Verdict::Granted(Grant { token, kind, lifetime, scope })
}

/// Seconds as a whole number, or as its text, which some servers send.
fn lifetime(value: &Value) -> Result<Option<Duration>, ()> {
    let seconds = match value {
        Value::Null => return Ok(None),
        Value::Number(number) if number.is_u64() => number.as_u64(),
        Value::Number(number) => {
            let whole = number.as_f64().filter(|number| *number >= 0.0 && number.fract() == 0.0);
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "not negative, and saturating"
            )]
            whole.map(|number| number as u64)
        }
        Value::String(text) if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse().ok(),
        _ => None,
    };
    seconds.map(|seconds| Some(Duration::from_secs(seconds.min(LONGEST)))).ok_or(())
}

/// `Retry-After` (RFC 9110 §10.2.3): seconds, or a date.
pub(crate) fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        // Digits that are no u64 are a very long time.
        return (!text.is_empty()).then(|| Duration::from_secs(text.parse().unwrap_or(u64::MAX)));
    }
    let date = httpdate::parse_http_date(text).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}

/// How many seconds the server's clock is ahead of this machine's, if the difference is greater than the time
/// of an answer.
pub(crate) fn clock_difference(headers: &HeaderMap, now: SystemTime) -> Option<i64> {
    let date = httpdate::parse_http_date(headers.get(DATE)?.to_str().ok()?).ok()?;
    let seconds = |time: SystemTime| i64::try_from(time.duration_since(UNIX_EPOCH).ok()?.as_secs()).ok();
    Some(seconds(date)? - seconds(now)?).filter(|ahead| ahead.abs() > SAME_CLOCK)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(status: u16, body: &str) -> Verdict<'_> {
        judge(status, &HeaderMap::new(), body.as_bytes(), TokenKind::Bearer, UNIX_EPOCH)
    }

    #[test]
    fn lifetimes_are_read_in_common_forms() {
        let hour = Some(Some(Duration::from_secs(3600)));
        for (text, expected) in [
            ("3600", hour),
            ("\"3600\"", hour),
            ("3600.0", hour),
            ("0", Some(Some(Duration::ZERO))),
            ("null", Some(None)),
            ("99999999999", Some(Some(Duration::from_secs(LONGEST)))),
            ("1e40", Some(Some(Duration::from_secs(LONGEST)))),
            ("-1", None),
            ("1.5", None),
            ("\"\"", None),
            ("\"1h\"", None),
            ("true", None),
        ] {
            let body = format!(r#"{{"access_token":"t","token_type":"bearer","expires_in":{text}}}"#);
            let verdict = judged(200, &body);
            let found = if let Verdict::Granted(grant) = verdict { Some(grant.lifetime) } else { None };
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn an_answer_is_judged_by_status_and_body() {
        let mac = r#"{"access_token":"t","token_type":"mac"}"#;
        let dpop = r#"{"access_token":"t","token_type":"DPoP"}"#;
        for (status, body, why) in [
            (200, "<html>", "it is no token answer in JSON (RFC 6749 §5.1)"),
            (200, r#"{"token_type":"Bearer"}"#, "it has no `access_token`"),
            (200, r#"{"access_token":"","token_type":"Bearer"}"#, "it has no `access_token`"),
            (200, r#"{"access_token":"t"}"#, "it has no `token_type`"),
            (200, mac, "`token_type` is `mac`, which was not requested"),
            (200, dpop, "`token_type` is `DPoP`, which was not requested"),
            (307, "", "it answered 307; redirects are not followed"),
            (403, "<html>", "it answered 403 without an error code of OAuth"),
            (404, "{}", "it answered 404"),
        ] {
            assert_eq!(judged(status, body), Verdict::Unusable(why.to_owned()));
        }
        for status in [408, 425, 429, 500, 502, 503, 504, 599] {
            assert!(matches!(judged(status, ""), Verdict::Transient { .. }), "{status}");
        }
        for status in [400, 401, 403] {
            let body = r#"{"error":"invalid_client","error_description":"no\u0007"}"#;
            let rejected =
                Verdict::Rejected { code: "invalid_client".to_owned(), description: Some("no?".to_owned()) };
            assert_eq!(judged(status, body), rejected);
        }
    }

    #[test]
    fn scope_is_split_at_spaces() {
        let body = r#"{"access_token":"t","token_type":"Bearer","scope":"a b"}"#;
        let Verdict::Granted(grant) = judged(200, body) else { panic!("granted") };
        assert_eq!(grant.scope.unwrap(), ["a", "b"]);
    }

    #[test]
    fn clock_difference_is_read_from_the_date_header() {
        let of = |text: &str| {
            let headers = HeaderMap::from_iter([(DATE, text.parse().unwrap())]);
            clock_difference(&headers, UNIX_EPOCH + Duration::from_secs(100))
        };
        assert_eq!(of("Thu, 01 Jan 1970 00:02:10 GMT"), None);
        assert_eq!(of("Thu, 01 Jan 1970 00:02:11 GMT"), Some(31));
        assert_eq!(of("Thu, 01 Jan 1970 00:00:00 GMT"), Some(-100));
        assert_eq!(of("yesterday"), None);
    }

    #[test]
    fn retry_after_is_a_number_or_a_date() {
        let of = |text: &str| {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, text.parse().unwrap())]);
            retry_after(&headers, UNIX_EPOCH + Duration::from_secs(10))
        };
        assert_eq!(of("7"), Some(Duration::from_secs(7)));
        assert_eq!(of("Thu, 01 Jan 1970 00:00:25 GMT"), Some(Duration::from_secs(15)));
        assert_eq!(of("Thu, 01 Jan 1970 00:00:05 GMT"), Some(Duration::ZERO));
        assert_eq!(of("99999999999999999999999"), Some(Duration::from_secs(u64::MAX)));
        for text in ["", "soon", "-1", "1.5"] {
            assert_eq!(of(text), None, "{text}");
        }
    }
}
