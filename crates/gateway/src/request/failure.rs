//! Failures that any route can have. Each API has its own form for them.

use std::borrow::Cow;

use actix_web::http::StatusCode;
use protocol::{ErrorCode, RefusalReason};

use super::body::BodyError;
use crate::authentication::HeaderError;
use crate::write_budget::BudgetSpent;

#[derive(Clone, Copy, Debug)]
pub(crate) enum ServerFailure<'a> {
    UnknownPath,
    /// The tenant does not exist or is suspended.
    UnknownTenant,
    /// The text lists the allowed methods (RFC 9110 §15.5.6).
    MethodNotAllowed(&'a str),
    /// The Host header names another host (RFC 9110 §15.5.20).
    Misdirected,
    RepeatedAuthorization,
    /// A trusted proxy sent an unusable header with a client certificate.
    CertificateHeader(HeaderError),
    Body(BodyError),
    /// The tenant's administrators have used up their writes (RFC 6585 §4).
    TooManyWrites(BudgetSpent),
    TooManyReports,
    /// The store or another part of the server does not answer.
    Unavailable,
    Internal,
}

impl ServerFailure<'_> {
    /// The status, the code for the metrics, and the reason for the log.
    pub(crate) const fn facts(self) -> (StatusCode, ErrorCode, RefusalReason) {
        use ErrorCode::{InvalidRequest, NotFound, ServerError, TemporarilyUnavailable};
        use RefusalReason as Why;
        match self {
            Self::UnknownPath => (StatusCode::NOT_FOUND, NotFound, Why::UnknownPath),
            Self::UnknownTenant => (StatusCode::NOT_FOUND, NotFound, Why::UnknownTenant),
            Self::MethodNotAllowed(_) => {
                (StatusCode::METHOD_NOT_ALLOWED, InvalidRequest, Why::MethodNotAllowed)
            }
            Self::Misdirected => (StatusCode::MISDIRECTED_REQUEST, InvalidRequest, Why::Misdirected),
            Self::RepeatedAuthorization => {
                (StatusCode::BAD_REQUEST, InvalidRequest, Why::RepeatedAuthorization)
            }
            Self::CertificateHeader(_) => {
                (StatusCode::BAD_REQUEST, InvalidRequest, Why::CertificateHeaderUnreadable)
            }
            Self::Body(error) => (error.status(), InvalidRequest, Why::UnreadableBody),
            Self::TooManyWrites(_) | Self::TooManyReports => {
                (StatusCode::TOO_MANY_REQUESTS, TemporarilyUnavailable, Why::TooManyWrites)
            }
            Self::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, TemporarilyUnavailable, Why::Unavailable),
            Self::Internal => (StatusCode::INTERNAL_SERVER_ERROR, ServerError, Why::ServerFault),
        }
    }

    pub(crate) fn detail(self) -> Cow<'static, str> {
        match self {
            Self::UnknownPath => "Unknown path".into(),
            Self::UnknownTenant => "no tenant has this id".into(),
            Self::MethodNotAllowed(methods) => format!("This path supports {methods}").into(),
            Self::Misdirected => "This path is not served under the name in the Host header".into(),
            Self::RepeatedAuthorization => "The Authorization header was sent more than once".into(),
            Self::CertificateHeader(error) => error.to_string().into(),
            Self::Body(error) => error.to_string().into(),
            Self::TooManyWrites(BudgetSpent { limit, .. }) => format!(
                "The administrators of this tenant have made too many writes ({limit}); try again later"
            )
            .into(),
            Self::TooManyReports => "Too many reports from this address; try again later".into(),
            Self::Unavailable => "The server cannot answer now; try again".into(),
            Self::Internal => "The server failed to answer".into(),
        }
    }
}
