//! Problem details (RFC 9457): errors of the admin API.

use std::borrow::Cow;
use std::sync::Arc;

use actix_web::http::StatusCode;
use administration::{BrokenTokensView, EditError, FieldError, MOST_FIELD_ERRORS, Permission};
use grants::{BearerError, GrantError};
use keys::{Refused as _, SealError};
use protocol::{ErrorCode, Lifetime, RefusalReason, TokenType};
use registry::DpopCheck;
use registry::methods::secret::WRONG;
use schemars::JsonSchema;
use serde::Serialize;
use tenancy::StoreError;

use super::http_error::{ErrorBody, HttpError};
use crate::failure::Failure;

/// The realm of the admin API's challenges.
const REALM: &str = "latchkey";

/// An error of the admin API.
pub(crate) type Problem = HttpError<Box<ProblemDocument>>;

/// The end of a problem's `type`, its title, and the reason for the log. Programs act on the type, so neither it nor the title ever changes.
#[derive(Debug)]
struct Kind(&'static str, &'static str, RefusalReason);

/// The code of a request without a token.
pub(super) const AUTHENTICATION_REQUIRED: &str = Kind::AUTHENTICATION_REQUIRED.0;

impl Kind {
    const ALL: [&Self; 19] = [
        Self::AUTHENTICATION_REQUIRED,
        Self::INVALID_TOKEN,
        Self::INSUFFICIENT_SCOPE,
        Self::BEYOND_REACH,
        Self::NOT_FOUND,
        Self::METHOD_NOT_ALLOWED,
        Self::MISDIRECTED,
        Self::INVALID_REQUEST,
        Self::BODY,
        Self::CONFLICT,
        Self::LIMIT_REACHED,
        Self::CONFIRMATION_NEEDED,
        Self::CONTENDED,
        Self::STALE,
        Self::KEY_REUSED,
        Self::TOO_MANY_WRITES,
        Self::TOO_MANY_FAILURES,
        Self::UNAVAILABLE,
        Self::SERVER_ERROR,
    ];
    const AUTHENTICATION_REQUIRED: &Self =
        &Self("authentication-required", "A token is needed", RefusalReason::TokenMissing);
    const INVALID_TOKEN: &Self =
        &Self("invalid-token", "The token is not valid here", RefusalReason::TokenOfAnotherIssuer);
    const INSUFFICIENT_SCOPE: &Self =
        &Self("insufficient-scope", "The token lacks a scope", RefusalReason::InsufficientScope);
    const BEYOND_REACH: &Self =
        &Self("beyond-reach", "Insufficient privilege", RefusalReason::InsufficientPrivilege);
    const NOT_FOUND: &Self = &Self("not-found", "Not found", RefusalReason::NotFound);
    const METHOD_NOT_ALLOWED: &Self =
        &Self("method-not-allowed", "The method is not allowed here", RefusalReason::MethodNotAllowed);
    const MISDIRECTED: &Self = &Self("misdirected", "Not under this name", RefusalReason::Misdirected);
    const INVALID_REQUEST: &Self =
        &Self("invalid-request", "The request cannot be used", RefusalReason::InvalidDocument);
    const BODY: &Self = &Self("unreadable-body", "The body cannot be read", RefusalReason::UnreadableBody);
    const CONFLICT: &Self =
        &Self("conflict", "The request conflicts with the present state", RefusalReason::Conflict);
    const LIMIT_REACHED: &Self = &Self("limit-reached", "More than is allowed", RefusalReason::LimitReached);
    const CONFIRMATION_NEEDED: &Self =
        &Self("confirmation-needed", "It breaks what works now", RefusalReason::ConfirmationNeeded);
    const CONTENDED: &Self = &Self("contended", "Changed at the same time", RefusalReason::Contended);
    const STALE: &Self = &Self("stale", "Changed since you looked", RefusalReason::StaleRevision);
    const KEY_REUSED: &Self = &Self(
        "idempotency-key-reused",
        "The idempotency key is another request's",
        RefusalReason::IdempotencyKeyReused,
    );
    const TOO_MANY_WRITES: &Self = &Self("too-many-writes", "Too many writes", RefusalReason::TooManyWrites);
    const TOO_MANY_FAILURES: &Self =
        &Self("too-many-failures", "Too many failures", RefusalReason::Credential(WRONG));
    const UNAVAILABLE: &Self = &Self("unavailable", "Not now", RefusalReason::Unavailable);
    const SERVER_ERROR: &Self = &Self("server-error", "A fault of the server", RefusalReason::ServerFault);

    /// The `type` of the problem.
    fn urn(&self) -> String {
        format!("urn:latchkey:problem:{}", self.0)
    }
}

/// RFC 9457.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ProblemDocument {
    /// What programs act on.
    #[schemars(example = &"urn:latchkey:problem:invalid-request", extend("enum" = Kind::ALL.map(Kind::urn)))]
    r#type: String,
    title: &'static str,
    #[schemars(example = 400)]
    status: u16,
    /// What people read.
    detail: Cow<'static, str>,
    /// The errors of a body or query, each with its place.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldErrorDocument>,
    /// The tokens that a request would break, where it must confirm that.
    #[serde(skip_serializing_if = "Option::is_none")]
    breaks: Option<Vec<BrokenTokensView>>,
    /// Why the server failed, for an operator in process; never a part of the answer.
    #[serde(skip)]
    pub(crate) cause: Option<Arc<EditError>>,
    #[serde(skip)]
    kind: &'static Kind,
}

/// One error.
#[derive(Debug, Serialize, JsonSchema)]
struct FieldErrorDocument {
    /// JSON pointer (RFC 6901); of a query parameter its name.
    #[schemars(example = &"/scopes/1")]
    pointer: String,
    #[schemars(example = &"must be a string")]
    detail: String,
}

impl ProblemDocument {
    fn new(status: StatusCode, kind: &'static Kind, detail: Cow<'static, str>) -> Box<Self> {
        let title = kind.1;
        let (r#type, status) = (kind.urn(), status.as_u16());
        Box::new(Self { r#type, title, status, detail, errors: Vec::new(), breaks: None, cause: None, kind })
    }
}

impl ErrorBody for Box<ProblemDocument> {
    const MEDIA_TYPE: &'static str = "application/problem+json";

    fn of(failure: Failure<'_>) -> Self {
        let kind = match failure {
            Failure::UnknownPath | Failure::UnknownTenant => Kind::NOT_FOUND,
            Failure::MethodNotAllowed(_) => Kind::METHOD_NOT_ALLOWED,
            Failure::Misdirected => Kind::MISDIRECTED,
            Failure::RepeatedAuthorization | Failure::CertificateHeader(_) => Kind::INVALID_REQUEST,
            Failure::Body(_) => Kind::BODY,
            Failure::TooManyWrites(_) => Kind::TOO_MANY_WRITES,
            Failure::Unavailable => Kind::UNAVAILABLE,
            Failure::Internal => Kind::SERVER_ERROR,
        };
        ProblemDocument::new(failure.status_and_code().0, kind, failure.detail())
    }

    fn help(&self) -> &'static str {
        self.kind.0
    }

    fn to_bytes(&self) -> Option<Vec<u8>> {
        Some(serde_json::to_vec(self).unwrap_or_default())
    }
}

impl HttpError<Box<ProblemDocument>> {
    fn new(
        status: StatusCode,
        code: Option<ErrorCode>,
        kind: &'static Kind,
        detail: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self::with(status, code, kind.2, ProblemDocument::new(status, kind, detail.into()))
    }

    /// No token was sent: the challenge has no error code (RFC 6750 §3.1).
    pub(crate) fn token_required() -> Self {
        let detail = "Send an access token for administration as Authorization: Bearer";
        Self::new(StatusCode::UNAUTHORIZED, None, Kind::AUTHENTICATION_REQUIRED, detail)
            .with_token_challenges(REALM)
    }

    /// The token is not accepted (RFC 6750 §3.1).
    pub(crate) fn invalid_token(reason: RefusalReason, description: &'static str) -> Self {
        let code = ErrorCode::InvalidToken;
        Self::new(StatusCode::UNAUTHORIZED, Some(code), Kind::INVALID_TOKEN, description)
            .with_token_challenge(TokenType::Bearer, REALM, Some((code, description)), None)
            .because(reason)
    }

    /// The token lacks the scope of a permission.
    pub(crate) fn insufficient_scope(permission: Permission) -> Self {
        let (code, scope) = (ErrorCode::InsufficientScope, permission.scope());
        let error = (code, "Token does not have the required scope");
        let detail = format!("{scope} is needed here");
        Self::new(StatusCode::FORBIDDEN, Some(code), Kind::INSUFFICIENT_SCOPE, detail).with_token_challenge(
            TokenType::Bearer,
            REALM,
            Some(error),
            Some(scope),
        )
    }

    /// A row that does not exist.
    pub(crate) fn not_found(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::NOT_FOUND, Some(ErrorCode::NotFound), Kind::NOT_FOUND, detail)
    }

    /// A body with errors, or a header that has another form.
    pub(crate) fn invalid(detail: impl Into<Cow<'static, str>>, errors: Vec<FieldError>) -> Self {
        let code = Some(ErrorCode::InvalidRequest);
        let mut problem = Self::new(StatusCode::BAD_REQUEST, code, Kind::INVALID_REQUEST, detail);
        let errors = errors.into_iter().take(MOST_FIELD_ERRORS);
        problem.body.errors = errors
            .map(|error| FieldErrorDocument { detail: error.message(), pointer: error.pointer })
            .collect();
        problem
    }

    /// The request breaks these tokens and does not confirm it.
    pub(crate) fn confirmation_needed(detail: &'static str, breaks: Vec<BrokenTokensView>) -> Self {
        let mut problem = Self::conflict(Kind::CONFIRMATION_NEEDED, detail);
        problem.body.breaks = Some(breaks);
        problem
    }

    /// Too many presented secrets were refused (RFC 6585 §4).
    pub(crate) fn too_many_failures(wait: Lifetime, reason: RefusalReason) -> Self {
        let detail =
            "Too many client authentications from this address failed at this tenant; try again later";
        let (status, code) = (StatusCode::TOO_MANY_REQUESTS, ErrorCode::InvalidClient);
        let retry_after = Some(u32::try_from(wait.seconds()).unwrap_or(u32::MAX));
        Self { retry_after, ..Self::new(status, Some(code), Kind::TOO_MANY_FAILURES, detail) }.because(reason)
    }

    fn conflict(kind: &'static Kind, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::CONFLICT, None, kind, detail)
    }

    /// Keeps why the server failed, where the caller is not at fault.
    fn caused_by(mut self, cause: EditError) -> Self {
        self.body.cause = Some(Arc::new(cause));
        self
    }
}

impl From<EditError> for Problem {
    fn from(error: EditError) -> Self {
        match error {
            EditError::Forbidden(permission) => Self::insufficient_scope(permission),
            EditError::InsufficientPrivilege(detail) => {
                Self::new(StatusCode::FORBIDDEN, None, Kind::BEYOND_REACH, detail)
            }
            EditError::NotFound(_) => Self::not_found(error.to_string()),
            EditError::Invalid(errors) => {
                Self::invalid("What was sent cannot be used; errors says where and why", errors)
            }
            EditError::Conflict(detail) => Self::conflict(Kind::CONFLICT, detail),
            EditError::LimitReached(_) => Self::conflict(Kind::LIMIT_REACHED, error.to_string()),
            EditError::Contended => {
                Self { retry_after: Some(1), ..Self::conflict(Kind::CONTENDED, error.to_string()) }
            }
            EditError::Stale => {
                Self::new(StatusCode::PRECONDITION_FAILED, None, Kind::STALE, error.to_string())
            }
            EditError::IdempotencyKeyReused => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, None, Kind::KEY_REUSED, error.to_string())
            }
            EditError::Store(StoreError::Unavailable(_))
            | EditError::Busy
            | EditError::Hash(_)
            | EditError::Seal(SealError::Unavailable(_)) => Self::unavailable(&error).caused_by(error),
            EditError::Store(StoreError::Fault(_)) | EditError::Seal(_) | EditError::Unreadable(_) => {
                Self::fault(&error).caused_by(error)
            }
        }
    }
}

impl From<DpopCheck> for Problem {
    fn from(failed: DpopCheck) -> Self {
        let (code, description) = (failed.error_code(), failed.description());
        Self::new(StatusCode::UNAUTHORIZED, Some(code), Kind::INVALID_TOKEN, description)
            .with_token_challenge(TokenType::DPoP, REALM, Some((code, description)), None)
            .because(RefusalReason::Credential(failed.reason()))
    }
}

impl From<BearerError> for Problem {
    fn from(error: BearerError) -> Self {
        match error {
            BearerError::Token(error) => Self::invalid_token(error.reason(), error.description()),
            BearerError::Sender(error) => Self::invalid_token(error.reason(), error.description()),
            BearerError::TenantSuspended | BearerError::InsufficientScope(_) => {
                Self::invalid_token(RefusalReason::TenantSuspended, "Token issuer is not active")
            }
        }
    }
}

impl From<GrantError> for Problem {
    fn from(error: GrantError) -> Self {
        match error {
            GrantError::Bearer(error) => error.into(),
            GrantError::Store(error) => error.into(),
            GrantError::Keys(error) => error.into(),
            GrantError::Refused { .. } | GrantError::Sign(_) => Self::fault(&error),
        }
    }
}

/// All codes, for the test of the page that explains them.
#[cfg(test)]
pub(crate) fn codes() -> Vec<&'static str> {
    Kind::ALL.map(|kind| kind.0).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_all_codes_is_complete() {
        let is_kind = |line: &&str| line.starts_with("    const ") && line.contains(": &Self =");
        assert_eq!(Kind::ALL.len(), include_str!("problem.rs").lines().filter(is_kind).count());
    }
}
