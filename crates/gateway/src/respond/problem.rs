//! Problem details (RFC 9457): how the admin API says no. The only place that turns what administration refuses into a status.

use std::borrow::Cow;
use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, PRAGMA, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, HttpResponseBuilder, ResponseError};
use administration::{EditError, Fault, Permission};
use grants::{BearerRefusal, GrantError};
use keys::KeyError;
use protocol::{ErrorCode, ErrorResponse};
use serde::Serialize;
use tenancy::{StoreError, TenantError};

use super::refusal::Causes;
use crate::body::BodyError;

/// The realm of the admin API's challenges.
const REALM: &str = "latchkey";

/// A body of 64 KiB could have thousands of faults; so many are told at once.
const MOST_ERRORS: usize = 32;

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
    const INVALID_REQUEST: Self = Self("invalid-request", "The request cannot be used");
    const BODY: Self = Self("unreadable-body", "The body cannot be read");
    const CONFLICT: Self = Self("conflict", "It stands against what there is");
    const CONTENDED: Self = Self("contended", "Changed at the same time");
    const STALE: Self = Self("stale", "Changed since you looked");
    const KEY_REUSED: Self = Self("idempotency-key-reused", "The idempotency key is another request's");
    const UNAVAILABLE: Self = Self("unavailable", "Not now");
    const SERVER_ERROR: Self = Self("server-error", "A fault of the server");
}

/// An answer of the admin API that is not what the caller asked for.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    kind: Kind,
    detail: Cow<'static, str>,
    errors: Vec<Fault>,
    challenge: Option<Box<str>>,
    allow: Option<Box<str>>,
    /// For whoever counts.
    code: Option<ErrorCode>,
    close: bool,
}

#[derive(Serialize)]
struct Body<'a> {
    r#type: String,
    title: &'a str,
    status: u16,
    detail: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<BodyFault<'a>>,
}

#[derive(Serialize)]
struct BodyFault<'a> {
    pointer: &'a str,
    detail: &'a str,
}

impl Problem {
    fn new(status: StatusCode, kind: Kind, detail: impl Into<Cow<'static, str>>) -> Self {
        let detail = detail.into();
        Self { status, kind, detail, errors: vec![], challenge: None, allow: None, code: None, close: false }
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

    /// What was sent has faults, or a header is not of its form.
    pub(crate) fn invalid(detail: impl Into<Cow<'static, str>>, mut errors: Vec<Fault>) -> Self {
        errors.truncate(MOST_ERRORS);
        let problem = Self::new(StatusCode::BAD_REQUEST, Kind::INVALID_REQUEST, detail);
        Self { errors, code: Some(ErrorCode::InvalidRequest), ..problem }
    }

    /// A fault of ours; the cause goes into the log and nowhere else.
    pub(crate) fn fault(cause: &(dyn std::error::Error + 'static)) -> Self {
        tracing::error!(cause = %Causes(cause), "request failed");
        let detail = "The server failed to answer";
        let problem = Self::new(StatusCode::INTERNAL_SERVER_ERROR, Kind::SERVER_ERROR, detail);
        Self { code: Some(ErrorCode::ServerError), ..problem }
    }

    fn unavailable(cause: &(dyn std::error::Error + 'static)) -> Self {
        tracing::warn!(cause = %Causes(cause), "request not served for now");
        let detail = "The server cannot answer now; try again";
        let problem = Self::new(StatusCode::SERVICE_UNAVAILABLE, Kind::UNAVAILABLE, detail);
        Self { code: Some(ErrorCode::TemporarilyUnavailable), ..problem }
    }
}

fn challenge(error: ErrorCode, description: &str) -> String {
    format!("Bearer realm=\"{REALM}\", error=\"{}\", error_description=\"{description}\"", error.as_str())
}

impl From<EditError> for Problem {
    fn from(error: EditError) -> Self {
        match error {
            EditError::Forbidden(permission) => Self::insufficient_scope(permission),
            EditError::BeyondReach(detail) => Self::new(StatusCode::FORBIDDEN, Kind::BEYOND_REACH, detail),
            EditError::NotFound(_) => Self::not_found(error.to_string()),
            EditError::Invalid(faults) => {
                Self::invalid("What was sent cannot be used; errors says where and why", faults)
            }
            EditError::Conflict(detail) => Self::new(StatusCode::CONFLICT, Kind::CONFLICT, detail),
            EditError::Contended => Self::new(StatusCode::CONFLICT, Kind::CONTENDED, error.to_string()),
            EditError::Stale => Self::new(StatusCode::PRECONDITION_FAILED, Kind::STALE, error.to_string()),
            EditError::IdempotencyKeyReused => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, Kind::KEY_REUSED, error.to_string())
            }
            EditError::Store(error) => error.into(),
            EditError::Busy | EditError::Hash(_) => Self::unavailable(&error),
            EditError::Seal(_) | EditError::Unreadable(_) => Self::fault(&error),
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match &error {
            StoreError::Unavailable(_) => Self::unavailable(&error),
            StoreError::Fault(_) => Self::fault(&error),
        }
    }
}

impl From<TenantError> for Problem {
    fn from(error: TenantError) -> Self {
        match error {
            TenantError::Unknown => Self::not_found("there is no tenant of this id"),
            TenantError::Store(error) => error.into(),
        }
    }
}

impl From<BearerRefusal> for Problem {
    fn from(refusal: BearerRefusal) -> Self {
        match refusal {
            BearerRefusal::Token(error) => Self::invalid_token(error.description()),
            BearerRefusal::TenantSuspended | BearerRefusal::InsufficientScope(_) => {
                Self::invalid_token("Token issuer is not active")
            }
        }
    }
}

impl From<GrantError> for Problem {
    fn from(error: GrantError) -> Self {
        match error {
            GrantError::Bearer(refusal) => refusal.into(),
            GrantError::Store(error) | GrantError::Keys(KeyError::Store(error)) => error.into(),
            GrantError::Refused(ErrorResponse { .. }) | GrantError::Keys(_) | GrantError::Sign(_) => {
                Self::fault(&error)
            }
        }
    }
}

impl From<BodyError> for Problem {
    fn from(error: BodyError) -> Self {
        let problem = Self::new(error.status(), Kind::BODY, error.to_string());
        Self { close: error.ends_connection(), code: Some(ErrorCode::InvalidRequest), ..problem }
    }
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
        if self.status == StatusCode::SERVICE_UNAVAILABLE || self.kind == Kind::CONTENDED {
            response.insert_header((RETRY_AFTER, "1"));
        }
        if self.close {
            response.force_close();
        }
        if let Some(code) = self.code {
            response.extensions_mut().insert(code);
        }
        let errors = self.errors.iter();
        let body = Body {
            r#type: format!("urn:latchkey:problem:{}", self.kind.0),
            title: self.kind.1,
            status: self.status.as_u16(),
            detail: &self.detail,
            errors: errors.map(|Fault { pointer, detail }| BodyFault { pointer, detail }).collect(),
        };
        response.body(serde_json::to_vec(&body).unwrap_or_default())
    }
}
