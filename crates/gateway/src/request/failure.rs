//! Failures that any path can respond with, in any form of errors.

use std::borrow::Cow;

use actix_web::http::StatusCode;
use protocol::{ErrorCode, RefusalReason};

use super::body::BodyError;
use crate::authentication::HeaderError;
use crate::write_budget::BudgetSpent;

/// A request that no rule of an interface refuses, and that the server cannot serve nevertheless.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ServerFailure<'a> {
    /// No route has this path.
    UnknownPath,
    /// No tenant that serves has this name.
    UnknownTenant,
    /// The path has another method; the text lists those that it has (RFC 9110 §15.5.6).
    MethodNotAllowed(&'a str),
    /// The Host header names another host (RFC 9110 §15.5.20).
    Misdirected,
    /// The Authorization header was sent more than once.
    RepeatedAuthorization,
    /// The header with the client certificate, which a trusted proxy sent, is refused.
    CertificateHeader(HeaderError),
    /// The body cannot be read.
    Body(BodyError),
    /// The tenant's administrators have used up their writes (RFC 6585 §4).
    TooManyWrites(BudgetSpent),
    /// An address has reported too many leaks.
    TooManyReports,
    /// A part of the server does not answer now.
    Unavailable,
    /// The server has a fault.
    Internal,
}

impl ServerFailure<'_> {
    /// The status, the code of RFC 6749 that metrics count, and the reason for the log.
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

    /// The text for people.
    pub(crate) fn detail(self) -> Cow<'static, str> {
        match self {
            Self::UnknownPath => "Unknown path".into(),
            Self::UnknownTenant => "there is no tenant of this id".into(),
            Self::MethodNotAllowed(methods) => format!("This path takes {methods}").into(),
            Self::Misdirected => "This path is not served under the name in the Host header".into(),
            Self::RepeatedAuthorization => "The Authorization header was sent more than once".into(),
            Self::CertificateHeader(error) => error.to_string().into(),
            Self::Body(error) => error.to_string().into(),
            Self::TooManyWrites(BudgetSpent { limit, .. }) => format!(
                "The administrators of this tenant have asked for too many writes ({limit}); try again later"
            )
            .into(),
            Self::TooManyReports => "Too many reports from this address; try again later".into(),
            Self::Unavailable => "The server cannot answer now; try again".into(),
            Self::Internal => "The server failed to answer".into(),
        }
    }
}
