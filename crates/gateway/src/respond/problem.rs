//! Problem details (RFC 9457): errors of the admin API.

use std::borrow::Cow;
use std::sync::Arc;

use actix_web::http::StatusCode;
use administration::schema::JsonSchema;
use administration::{
    BrokenTokensView, EditError, FieldError, LiveCredential, MOST_FIELD_ERRORS, Permission,
};
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

/// The realm of the admin API's challenges.
const REALM: &str = "latchkey";

/// An error of the admin API.
pub(crate) type Problem = HttpError<Box<ProblemDocument>>;

/// The end of a problem's `type`, its title, and the reason for the log. Programs depend on the type, so
/// neither it nor the title ever changes.
#[derive(Debug)]
struct ProblemKind(&'static str, &'static str, RefusalReason);

/// What to do when the store did not answer a commit.
pub(crate) const OUTCOME_UNKNOWN: &str = "The change may have been done. Repeat the request with the same Idempotency-Key: what was done is not done twice";

/// The code of a request without a token.
pub(super) const AUTHENTICATION_REQUIRED: &str = ProblemKind::AUTHENTICATION_REQUIRED.0;

/// Each kind, and the list of all.
macro_rules! kinds {
    ($($name:ident: $code:literal, $title:literal, $reason:ident $(($credential:expr))?;)*) => {
        impl ProblemKind {
            const ALL: &[&Self] = &[$(Self::$name),*];
            $(const $name: &Self = &Self($code, $title, RefusalReason::$reason$(($credential))?);)*
        }
    };
}

kinds! {
    AUTHENTICATION_REQUIRED: "authentication-required", "A token is needed", TokenMissing;
    INVALID_TOKEN: "invalid-token", "The token is not valid here", TokenOfAnotherIssuer;
    INSUFFICIENT_SCOPE: "insufficient-scope", "The token lacks a scope", InsufficientScope;
    BEYOND_REACH: "beyond-reach", "Insufficient privilege", InsufficientPrivilege;
    NOT_FOUND: "not-found", "Not found", NotFound;
    METHOD_NOT_ALLOWED: "method-not-allowed", "The method is not allowed here", MethodNotAllowed;
    MISDIRECTED: "misdirected", "Not under this name", Misdirected;
    INVALID_REQUEST: "invalid-request", "The request cannot be used", InvalidDocument;
    BODY: "unreadable-body", "The body cannot be read", UnreadableBody;
    CONFLICT: "conflict", "The request conflicts with the present state", Conflict;
    LIMIT_REACHED: "limit-reached", "More than is allowed", LimitReached;
    CONFIRMATION_NEEDED: "confirmation-needed", "It breaks what works now", ConfirmationNeeded;
    LIVE_CREDENTIALS: "live-credentials", "Live credentials would gain a permission", ConfirmationNeeded;
    CONTENDED: "contended", "Changed at the same time", Contended;
    STALE: "stale", "Changed since you looked", StaleRevision;
    KEY_REUSED: "idempotency-key-reused", "The idempotency key is another request's", IdempotencyKeyReused;
    TOO_MANY_WRITES: "too-many-writes", "Too many writes", TooManyWrites;
    TOO_MANY_FAILURES: "too-many-failures", "Too many failures", Credential(WRONG);
    UNAVAILABLE: "unavailable", "Not now", Unavailable;
    OUTCOME_UNKNOWN: "outcome-unknown", "Perhaps done", Unavailable;
    SERVER_ERROR: "server-error", "A fault of the server", ServerFault;
}

impl ProblemKind {
    /// The `type` of the problem.
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
    /// What programs act on.
    #[schemars(example = &"urn:latchkey:problem:invalid-request", extend("enum" = ProblemKind::urns()))]
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
    /// The credentials that would gain a permission, where a request must name those to keep.
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
    /// JSON pointer (RFC 6901); of a query parameter its name.
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

    /// No token was sent: the challenge has no error code (RFC 6750 §3.1).
    pub(crate) fn token_required() -> Self {
        let detail = "Send an access token for administration as Authorization: Bearer";
        Self::new(StatusCode::UNAUTHORIZED, None, ProblemKind::AUTHENTICATION_REQUIRED, detail)
            .with_token_challenges(REALM)
    }

    /// The token is not accepted (RFC 6750 §3.1).
    pub(crate) fn invalid_token(reason: RefusalReason, description: &'static str) -> Self {
        let code = ErrorCode::InvalidToken;
        Self::new(StatusCode::UNAUTHORIZED, Some(code), ProblemKind::INVALID_TOKEN, description)
            .with_token_challenge(TokenType::Bearer, REALM, Some((code, description)), None)
            .because(reason)
    }

    /// The client has not authenticated beside its token.
    pub(crate) fn client_not_authenticated(error: OAuthError) -> Self {
        let detail = error.body.response().map(|body| body.error_description.to_string());
        let detail = detail.unwrap_or_else(|| "The client could not be authenticated".to_owned());
        let (kind, status) = match error.status {
            StatusCode::TOO_MANY_REQUESTS => (ProblemKind::TOO_MANY_FAILURES, error.status),
            StatusCode::SERVICE_UNAVAILABLE => (ProblemKind::UNAVAILABLE, error.status),
            status if status.is_server_error() => (ProblemKind::SERVER_ERROR, status),
            _ => (ProblemKind::INVALID_REQUEST, StatusCode::BAD_REQUEST),
        };
        let (code, retry_after, refused) = (error.code, error.retry_after, error.refused);
        Self { retry_after, refused, ..Self::new(status, code, kind, detail) }
    }

    /// The token lacks the scope of a permission, or has none of them all.
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

    /// A row that does not exist.
    pub(crate) fn not_found(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::NOT_FOUND, Some(ErrorCode::NotFound), ProblemKind::NOT_FOUND, detail)
    }

    /// A body with errors, or a header that has another form.
    pub(crate) fn invalid(detail: impl Into<Cow<'static, str>>, errors: Vec<FieldError>) -> Self {
        let code = Some(ErrorCode::InvalidRequest);
        let mut problem = Self::new(StatusCode::BAD_REQUEST, code, ProblemKind::INVALID_REQUEST, detail);
        let errors = errors.into_iter().take(MOST_FIELD_ERRORS);
        problem.body.errors = errors
            .map(|error| FieldErrorDocument { detail: error.message(), pointer: error.pointer })
            .collect();
        problem
    }

    /// The request breaks these tokens and does not confirm it.
    pub(crate) fn confirmation_needed(detail: &'static str, breaks: Vec<BrokenTokensView>) -> Self {
        let mut problem = Self::conflict(ProblemKind::CONFIRMATION_NEEDED, detail);
        problem.body.breaks = Some(breaks);
        problem
    }

    /// Too many presented secrets were refused (RFC 6585 §4).
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

    /// Keeps why the server failed, where the caller is not at fault.
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
                Self::invalid("What was sent cannot be used; errors says where and why", errors)
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

/// All codes, for the test of the page that explains them.
#[cfg(test)]
pub(crate) fn codes() -> Vec<&'static str> {
    ProblemKind::ALL.iter().map(|kind| kind.0).collect()
}
