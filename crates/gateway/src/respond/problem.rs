//! Problem details (RFC 9457): how the admin API says no.

mod from_errors;

use std::borrow::Cow;
use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, PRAGMA, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, HttpResponseBuilder, ResponseError};
use administration::{BrokenTokensView, FieldError, MOST_FIELD_ERRORS, Permission};
use protocol::ErrorCode;
use serde::Serialize;

use super::oauth_error::{Causes, MISDIRECTED};

/// The realm of the admin API's challenges.
const REALM: &str = "latchkey";

/// What kind of problem it is: the end of its `type`, and its title. Programs act on these, so they never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Kind(&'static str, &'static str);

impl Kind {
    const AUTHENTICATION_REQUIRED: Self = Self("authentication-required", "A token is needed");
    const INVALID_TOKEN: Self = Self("invalid-token", "The token is not valid here");
    const INSUFFICIENT_SCOPE: Self = Self("insufficient-scope", "The token lacks a scope");
    const BEYOND_REACH: Self = Self("beyond-reach", "Not this far");
    const NOT_FOUND: Self = Self("not-found", "Not found");
    const METHOD_NOT_ALLOWED: Self = Self("method-not-allowed", "The method is not allowed here");
    const MISDIRECTED: Self = Self("misdirected", "Not under this name");
    const INVALID_REQUEST: Self = Self("invalid-request", "The request cannot be used");
    const BODY: Self = Self("unreadable-body", "The body cannot be read");
    const CONFLICT: Self = Self("conflict", "It stands against what there is");
    const LIMIT_REACHED: Self = Self("limit-reached", "More than is allowed");
    const CONFIRMATION_NEEDED: Self = Self("confirmation-needed", "It breaks what works now");
    const CONTENDED: Self = Self("contended", "Changed at the same time");
    const STALE: Self = Self("stale", "Changed since you looked");
    const KEY_REUSED: Self = Self("idempotency-key-reused", "The idempotency key is another request's");
    const TOO_MANY_WRITES: Self = Self("too-many-writes", "Too many writes");
    const UNAVAILABLE: Self = Self("unavailable", "Not now");
    const SERVER_ERROR: Self = Self("server-error", "A fault of the server");
}

/// An answer of the admin API that is not what the caller asked for.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    kind: Kind,
    detail: Cow<'static, str>,
    more: More,
    challenge: Option<Box<str>>,
    allow: Option<Box<str>>,
    /// Seconds after which it may be otherwise.
    retry_after: Option<u16>,
    /// For whoever counts.
    code: Option<ErrorCode>,
    close: bool,
}

/// What stands beside the members that every problem has.
#[derive(Debug)]
enum More {
    Nothing,
    Errors(Box<[FieldError]>),
    Breaks(Box<[BrokenTokensView]>),
}

#[derive(Serialize)]
struct Body<'a> {
    r#type: String,
    title: &'a str,
    status: u16,
    detail: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldErrorBody<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    breaks: Option<&'a [BrokenTokensView]>,
}

#[derive(Serialize)]
struct FieldErrorBody<'a> {
    pointer: &'a str,
    detail: &'a str,
}

impl Problem {
    fn new(status: StatusCode, kind: Kind, detail: impl Into<Cow<'static, str>>) -> Self {
        let detail = detail.into();
        Self {
            status,
            kind,
            detail,
            more: More::Nothing,
            challenge: None,
            allow: None,
            retry_after: None,
            code: None,
            close: false,
        }
    }

    /// No token at all: the challenge has no error code (RFC 6750 §3.1).
    pub(crate) fn token_required() -> Self {
        let detail = "Send an access token for administration as Authorization: Bearer";
        Self {
            challenge: Some(format!("Bearer realm=\"{REALM}\"").into()),
            ..Self::new(StatusCode::UNAUTHORIZED, Kind::AUTHENTICATION_REQUIRED, detail)
        }
    }

    /// A token that does not do here (RFC 6750 §3.1).
    pub(crate) fn invalid_token(description: &'static str) -> Self {
        Self {
            challenge: Some(challenge(ErrorCode::InvalidToken, description).into()),
            code: Some(ErrorCode::InvalidToken),
            ..Self::new(StatusCode::UNAUTHORIZED, Kind::INVALID_TOKEN, description)
        }
    }

    /// A token that lacks what is needed here.
    pub(crate) fn insufficient_scope(permission: Permission) -> Self {
        let scope = permission.scope();
        let challenge = challenge(ErrorCode::InsufficientScope, "Token does not have the required scope");
        Self {
            challenge: Some(format!("{challenge}, scope=\"{scope}\"").into()),
            code: Some(ErrorCode::InsufficientScope),
            ..Self::new(StatusCode::FORBIDDEN, Kind::INSUFFICIENT_SCOPE, format!("{scope} is needed here"))
        }
    }

    /// No such path, or nothing of this name.
    pub(crate) fn not_found(detail: impl Into<Cow<'static, str>>) -> Self {
        let code = Some(ErrorCode::NotFound);
        Self { code, ..Self::new(StatusCode::NOT_FOUND, Kind::NOT_FOUND, detail) }
    }

    /// A method that the path does not know (RFC 9110 §15.5.6).
    pub(crate) fn method_not_allowed(allow: &str) -> Self {
        let detail = format!("This path takes {allow}");
        let problem = Self::new(StatusCode::METHOD_NOT_ALLOWED, Kind::METHOD_NOT_ALLOWED, detail);
        Self { allow: Some(allow.into()), code: Some(ErrorCode::InvalidRequest), ..problem }
    }

    /// A request that is meant for a name which is not ours (RFC 9110 §15.5.20).
    pub(crate) fn misdirected() -> Self {
        let problem = Self::new(StatusCode::MISDIRECTED_REQUEST, Kind::MISDIRECTED, MISDIRECTED);
        Self { code: Some(ErrorCode::InvalidRequest), ..problem }
    }

    /// What was sent has faults, or a header is not of its form.
    pub(crate) fn invalid(detail: impl Into<Cow<'static, str>>, mut errors: Vec<FieldError>) -> Self {
        errors.truncate(MOST_FIELD_ERRORS);
        let problem = Self::new(StatusCode::BAD_REQUEST, Kind::INVALID_REQUEST, detail);
        Self { more: More::Errors(errors.into()), code: Some(ErrorCode::InvalidRequest), ..problem }
    }

    /// What is asked breaks these tokens, and the asker has not said that he knows.
    pub(crate) fn confirmation_needed(detail: &'static str, breaks: Vec<BrokenTokensView>) -> Self {
        let problem = Self::new(StatusCode::CONFLICT, Kind::CONFIRMATION_NEEDED, detail);
        Self { more: More::Breaks(breaks.into()), ..problem }
    }

    /// The administrators of the tenant, or of the platform, have asked for too much (RFC 6585 §4).
    pub(crate) fn too_many_writes(retry_after: u16) -> Self {
        let detail = "The administrators of this tenant have asked for too many writes; try again later";
        let problem = Self::new(StatusCode::TOO_MANY_REQUESTS, Kind::TOO_MANY_WRITES, detail);
        Self { retry_after: Some(retry_after), code: Some(ErrorCode::TemporarilyUnavailable), ..problem }
    }

    /// A fault of ours; the cause goes into the log and nowhere else.
    pub(crate) fn fault(cause: &(dyn std::error::Error + 'static)) -> Self {
        tracing::error!(cause = %Causes(cause), "request failed");
        Self::failed()
    }

    fn failed() -> Self {
        let detail = "The server failed to answer";
        let problem = Self::new(StatusCode::INTERNAL_SERVER_ERROR, Kind::SERVER_ERROR, detail);
        Self { code: Some(ErrorCode::ServerError), ..problem }
    }

    fn unavailable(cause: &(dyn std::error::Error + 'static)) -> Self {
        tracing::warn!(cause = %Causes(cause), "request not served for now");
        Self::busy()
    }

    fn busy() -> Self {
        let detail = "The server cannot answer now; try again";
        let problem = Self::new(StatusCode::SERVICE_UNAVAILABLE, Kind::UNAVAILABLE, detail);
        Self { code: Some(ErrorCode::TemporarilyUnavailable), ..problem }
    }
}

fn challenge(error: ErrorCode, description: &str) -> String {
    format!("Bearer realm=\"{REALM}\", error=\"{}\", error_description=\"{description}\"", error.as_str())
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.status.as_u16(), self.kind.0)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponseBuilder::new(self.status);
        response
            .insert_header((CONTENT_TYPE, "application/problem+json"))
            .insert_header((CACHE_CONTROL, "no-store"))
            .insert_header((PRAGMA, "no-cache"));
        if let Some(challenge) = &self.challenge {
            response.insert_header((WWW_AUTHENTICATE, &**challenge));
        }
        if let Some(allow) = &self.allow {
            response.insert_header((ALLOW, &**allow));
        }
        let soon = self.status == StatusCode::SERVICE_UNAVAILABLE || self.kind == Kind::CONTENDED;
        if let Some(seconds) = self.retry_after.or(soon.then_some(1)) {
            response.insert_header((RETRY_AFTER, u64::from(seconds)));
        }
        if self.close {
            response.force_close();
        }
        if let Some(code) = self.code {
            response.extensions_mut().insert(code);
        }
        let (errors, breaks) = match &self.more {
            More::Nothing => (&[][..], None),
            More::Errors(errors) => (&errors[..], None),
            More::Breaks(breaks) => (&[][..], Some(&breaks[..])),
        };
        let body = Body {
            r#type: format!("urn:latchkey:problem:{}", self.kind.0),
            title: self.kind.1,
            status: self.status.as_u16(),
            detail: &self.detail,
            errors: errors
                .iter()
                .map(|FieldError { pointer, detail }| FieldErrorBody { pointer, detail })
                .collect(),
            breaks,
        };
        response.body(serde_json::to_vec(&body).unwrap_or_default())
    }
}
