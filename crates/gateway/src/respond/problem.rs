//! Problem details (RFC 9457): errors of the admin API.

use std::borrow::Cow;
use std::sync::Arc;

use actix_web::http::StatusCode;
use administration::documents::schema::JsonSchema;
use administration::documents::{BrokenTokensView, LiveCredential, MOST_FIELD_ERRORS};
use administration::edit::{EditError, FieldError};
use administration::kinds::Permission;
use grants::{BearerError, GrantError};
use keys::{Refused as _, SealError};
use protocol::{ErrorCode, RefusalReason, TokenType};
use registry::DpopCheck;
use registry::methods::secret::WRONG;
use serde::Serialize;
use tenancy::StoreError;
use values::Lifetime;

use super::http_error::{ErrorBody, HttpError, ResourceErrorBody};
use super::oauth_error::OAuthError;
use crate::request::ServerFailure;

/// The realm of the challenges.
const REALM: &str = "latchkey";

pub(crate) type Problem = HttpError<Box<ProblemDocument>>;

/// The end of `type`, the title, and the reason for the log. Programs depend on `type`, so neither
/// `type` nor the title may change.
#[derive(Debug)]
struct ProblemKind(&'static str, &'static str, RefusalReason);

/// For a commit that the store did not confirm.
pub(crate) const OUTCOME_UNKNOWN: &str = "The server cannot tell whether it made the change. Repeat the \
    request with the same Idempotency-Key: nothing is done twice";

/// The code of a request without a token.
pub(super) const AUTHENTICATION_REQUIRED: &str = ProblemKind::AUTHENTICATION_REQUIRED.0;

/// Generates a constant for each kind, and the list of all kinds.
macro_rules! kinds {
    ($($name:ident: $code:literal, $title:literal, $reason:ident $(($credential:expr))?;)*) => {
        impl ProblemKind {
            const ALL: &[&Self] = &[$(Self::$name),*];
            $(const $name: &Self = &Self($code, $title, RefusalReason::$reason$(($credential))?);)*
        }
    };
}

kinds! {
    AUTHENTICATION_REQUIRED: "authentication-required", "A token is required", TokenMissing;
    INVALID_TOKEN: "invalid-token", "The token is not valid here", TokenOfAnotherIssuer;
    INSUFFICIENT_SCOPE: "insufficient-scope", "The token lacks a scope", InsufficientScope;
    BEYOND_REACH: "beyond-reach", "Insufficient privilege", InsufficientPrivilege;
    NOT_FOUND: "not-found", "Not found", NotFound;
    METHOD_NOT_ALLOWED: "method-not-allowed", "The method is not allowed here", MethodNotAllowed;
    MISDIRECTED: "misdirected", "Not under this host name", Misdirected;
    INVALID_REQUEST: "invalid-request", "The request is not valid", InvalidDocument;
    BODY: "unreadable-body", "The server cannot read the body", UnreadableBody;
    CONFLICT: "conflict", "The request conflicts with the current state", Conflict;
    LIMIT_REACHED: "limit-reached", "A limit is exceeded", LimitReached;
    CONFIRMATION_NEEDED: "confirmation-needed", "The change would break something that works now", ConfirmationNeeded;
    LIVE_CREDENTIALS: "live-credentials", "Existing credentials would gain a permission", ConfirmationNeeded;
    CONTENDED: "contended", "Changed at the same time", Contended;
    STALE: "stale", "Changed since you read it", StaleRevision;
    KEY_REUSED: "idempotency-key-reused", "The idempotency key belongs to another request", IdempotencyKeyReused;
    TOO_MANY_WRITES: "too-many-writes", "Too many writes", TooManyWrites;
    TOO_MANY_FAILURES: "too-many-failures", "Too many failures", Credential(WRONG);
    UNAVAILABLE: "unavailable", "Not now", Unavailable;
    OUTCOME_UNKNOWN: "outcome-unknown", "Perhaps done", Unavailable;
    SERVER_ERROR: "server-error", "The server failed", ServerFault;
}

impl ProblemKind {
    /// The value of `type`.
    fn urn(&self) -> String {
        format!("urn:latchkey:problem:{}", self.0)
    }

    fn urns() -> Vec<String> {
        Self::ALL.iter().map(|kind| kind.urn()).collect()
    }
}

/// RFC 9457.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ProblemDocument {
    /// For programs.
    #[schemars(example = &"urn:latchkey:problem:invalid-request", extend("enum" = ProblemKind::urns()))]
    r#type: String,
    title: &'static str,
    #[schemars(example = 400)]
    status: u16,
    /// For people.
    detail: Cow<'static, str>,
    /// The errors of a body or query, each with its location.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldErrorDocument>,
    /// The tokens that a request would break, if it must confirm that.
    #[serde(skip_serializing_if = "Option::is_none")]
    breaks: Option<Vec<BrokenTokensView>>,
    /// The credentials that would gain a permission, if a request must list the credentials to keep.
    #[serde(skip_serializing_if = "Option::is_none")]
    credentials: Option<Vec<LiveCredential>>,
    /// Why the server failed, for an operator in process; never a part of the answer.
    #[serde(skip)]
    pub(crate) cause: Option<Arc<EditError>>,
    #[serde(skip)]
    kind: &'static ProblemKind,
}

/// One error.
#[derive(Debug, Serialize, JsonSchema)]
struct FieldErrorDocument {
    /// JSON pointer (RFC 6901); for a query parameter, its name.
    #[schemars(example = &"/scopes/1")]
    pointer: String,
    #[schemars(example = &"must be a string")]
    detail: String,
}

impl ProblemDocument {
    fn new(status: StatusCode, kind: &'static ProblemKind, detail: Cow<'static, str>) -> Box<Self> {
        let title = kind.1;
        let (r#type, status) = (kind.urn(), status.as_u16());
        let errors = Vec::new();
        let (breaks, credentials, cause) = (None, None, None);
        Box::new(Self { r#type, title, status, detail, errors, breaks, credentials, cause, kind })
    }
}

impl ErrorBody for Box<ProblemDocument> {
    const MEDIA_TYPE: &'static str = "application/problem+json";

    fn from_failure(failure: ServerFailure<'_>) -> Self {
        let kind = match failure {
            ServerFailure::UnknownPath | ServerFailure::UnknownTenant => ProblemKind::NOT_FOUND,
            ServerFailure::MethodNotAllowed(_) => ProblemKind::METHOD_NOT_ALLOWED,
            ServerFailure::Misdirected => ProblemKind::MISDIRECTED,
            ServerFailure::RepeatedAuthorization | ServerFailure::CertificateHeader(_) => {
                ProblemKind::INVALID_REQUEST
            }
            ServerFailure::Body(_) => ProblemKind::BODY,
            ServerFailure::TooManyWrites(_) | ServerFailure::TooManyReports => ProblemKind::TOO_MANY_WRITES,
            ServerFailure::Unavailable => ProblemKind::UNAVAILABLE,
            ServerFailure::Internal => ProblemKind::SERVER_ERROR,
        };
        ProblemDocument::new(failure.facts().0, kind, failure.detail())
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
        kind: &'static ProblemKind,
        detail: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self::with(status, code, kind.2, ProblemDocument::new(status, kind, detail.into()))
    }

    /// No token was sent, so the challenge has no error code (RFC 6750 §3.1).
    pub(crate) fn token_required() -> Self {
        let detail = "Send an access token for administration as Authorization: Bearer";
        Self::new(StatusCode::UNAUTHORIZED, None, ProblemKind::AUTHENTICATION_REQUIRED, detail)
            .with_token_challenges(REALM)
    }

    /// RFC 6750 §3.1.
    pub(crate) fn invalid_token(reason: RefusalReason, description: &'static str) -> Self {
        let code = ErrorCode::InvalidToken;
        Self::new(StatusCode::UNAUTHORIZED, Some(code), ProblemKind::INVALID_TOKEN, description)
            .with_token_challenge(TokenType::Bearer, REALM, Some((code, description)), None)
            .because(reason)
    }

    /// The request has a token, but the client's own credential was refused.
    pub(crate) fn client_not_authenticated(error: OAuthError) -> Self {
        let detail = error.body.response().map(|body| body.error_description.to_string());
        let detail = detail.unwrap_or_else(|| "Client authentication failed".to_owned());
        let (kind, status) = match error.status {
            StatusCode::TOO_MANY_REQUESTS => (ProblemKind::TOO_MANY_FAILURES, error.status),
            StatusCode::SERVICE_UNAVAILABLE => (ProblemKind::UNAVAILABLE, error.status),
            status if status.is_server_error() => (ProblemKind::SERVER_ERROR, status),
            _ => (ProblemKind::INVALID_REQUEST, StatusCode::BAD_REQUEST),
        };
        let (code, retry_after, refused) = (error.code, error.retry_after, error.refused);
        Self { retry_after, refused, ..Self::new(status, code, kind, detail) }
    }

    /// `None` if the token has no permission at all.
    pub(crate) fn insufficient_scope(permission: Option<Permission>) -> Self {
        let any = || Permission::NAMED.map(|(name, _)| name).join(" or ");
        let needed = permission.map_or_else(any, |permission| permission.as_str().to_owned());
        let code = ErrorCode::InsufficientScope;
        let error = (code, "Token does not have the required scope");
        let detail = format!("{needed} is needed here");
        let refused = Self::new(StatusCode::FORBIDDEN, Some(code), ProblemKind::INSUFFICIENT_SCOPE, detail);
        refused.with_token_challenge(
            TokenType::Bearer,
            REALM,
            Some(error),
            permission.map(Permission::as_str),
        )
    }

    pub(crate) fn not_found(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::NOT_FOUND, Some(ErrorCode::NotFound), ProblemKind::NOT_FOUND, detail)
    }

    /// A body with errors, or a malformed header.
    pub(crate) fn invalid(detail: impl Into<Cow<'static, str>>, errors: Vec<FieldError>) -> Self {
        let code = Some(ErrorCode::InvalidRequest);
        let mut problem = Self::new(StatusCode::BAD_REQUEST, code, ProblemKind::INVALID_REQUEST, detail);
        let errors = errors.into_iter().take(MOST_FIELD_ERRORS);
        problem.body.errors = errors
            .map(|error| FieldErrorDocument { detail: error.message(), pointer: error.pointer })
            .collect();
        problem
    }

    /// The request invalidates these tokens and does not confirm it.
    pub(crate) fn confirmation_needed(detail: &'static str, breaks: Vec<BrokenTokensView>) -> Self {
        let mut problem = Self::conflict(ProblemKind::CONFIRMATION_NEEDED, detail);
        problem.body.breaks = Some(breaks);
        problem
    }

    /// Too many wrong secrets (RFC 6585 §4).
    pub(crate) fn too_many_failures(wait: Lifetime, reason: RefusalReason) -> Self {
        let detail =
            "Too many client authentications from this address failed at this tenant; try again later";
        let (status, code) = (StatusCode::TOO_MANY_REQUESTS, ErrorCode::InvalidClient);
        let retry_after = Some(u32::try_from(wait.seconds()).unwrap_or(u32::MAX));
        Self { retry_after, ..Self::new(status, Some(code), ProblemKind::TOO_MANY_FAILURES, detail) }
            .because(reason)
    }

    fn conflict(kind: &'static ProblemKind, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::CONFLICT, None, kind, detail)
    }

    /// Keeps the cause of an internal error for [`OperatorAnswer`](crate::OperatorAnswer).
    fn caused_by(mut self, cause: EditError) -> Self {
        self.body.cause = Some(Arc::new(cause));
        self
    }
}

impl From<EditError> for Problem {
    fn from(error: EditError) -> Self {
        match error {
            EditError::Forbidden(permission) => Self::insufficient_scope(Some(permission)),
            EditError::InsufficientPrivilege(detail) => {
                Self::new(StatusCode::FORBIDDEN, None, ProblemKind::BEYOND_REACH, detail)
            }
            EditError::NotFound(_) => Self::not_found(error.to_string()),
            EditError::Invalid(errors) => {
                Self::invalid("The request is not valid; errors says where and why", errors)
            }
            EditError::Conflict(detail) => Self::conflict(ProblemKind::CONFLICT, detail),
            EditError::LiveCredentials(ref live) => {
                let mut problem = Self::conflict(ProblemKind::LIVE_CREDENTIALS, error.to_string());
                problem.body.credentials = Some(live.list().to_vec());
                problem
            }
            EditError::LimitReached(_) => Self::conflict(ProblemKind::LIMIT_REACHED, error.to_string()),
            EditError::Contended => {
                Self { retry_after: Some(1), ..Self::conflict(ProblemKind::CONTENDED, error.to_string()) }
            }
            EditError::Stale => {
                Self::new(StatusCode::PRECONDITION_FAILED, None, ProblemKind::STALE, error.to_string())
            }
            EditError::IdempotencyKeyReused => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, None, ProblemKind::KEY_REUSED, error.to_string())
            }
            EditError::Store(ref store) if store.may_be_done() => {
                let Self { retry_after, refused, .. } = Self::unavailable(&error);
                let status = StatusCode::SERVICE_UNAVAILABLE;
                let code = Some(ErrorCode::TemporarilyUnavailable);
                let unknown = Self::new(status, code, ProblemKind::OUTCOME_UNKNOWN, OUTCOME_UNKNOWN);
                Self { retry_after, refused, ..unknown }.caused_by(error)
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

impl ResourceErrorBody for Box<ProblemDocument> {
    fn refuse_proof(failed: DpopCheck) -> Problem {
        let (code, description) = (failed.error_code(), failed.description());
        Problem::new(StatusCode::UNAUTHORIZED, Some(code), ProblemKind::INVALID_TOKEN, description)
            .with_token_challenge(TokenType::DPoP, REALM, Some((code, description)), None)
            .because(RefusalReason::Credential(failed.reason()))
    }

    fn refuse_token(error: BearerError) -> Problem {
        match error {
            BearerError::Token(error) => Problem::invalid_token(error.reason(), error.description()),
            BearerError::Sender(error) => Problem::invalid_token(error.reason(), error.description()),
            BearerError::TenantSuspended | BearerError::InsufficientScope(_) => {
                Problem::invalid_token(RefusalReason::TenantSuspended, "Token issuer is not active")
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
            GrantError::Refused { .. } | GrantError::Client(_) | GrantError::Sign(_) => Self::fault(&error),
        }
    }
}

/// For the test of docs/errors.md.
#[cfg(test)]
pub(crate) fn codes() -> Vec<&'static str> {
    ProblemKind::ALL.iter().map(|kind| kind.0).collect()
}
