//! Failures that any path can answer with, whatever the form of its errors.

use std::borrow::Cow;

use actix_web::http::StatusCode;
use protocol::{ErrorCode, RefusalReason};

use crate::body::BodyError;
use crate::client_certificate_header::HeaderError;
use crate::write_budget::BudgetSpent;

/// A request that no rule of an interface refuses, and that is not served all the same.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Failure<'a> {
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
    /// A part of the server does not answer now.
    Unavailable,
    /// The server has a fault.
    Internal,
}

impl Failure<'_> {
    /// The status, and the code of RFC 6749 that metrics count.
    pub(crate) const fn status_and_code(self) -> (StatusCode, ErrorCode) {
        match self {
            Self::UnknownPath | Self::UnknownTenant => (StatusCode::NOT_FOUND, ErrorCode::NotFound),
            Self::MethodNotAllowed(_) => (StatusCode::METHOD_NOT_ALLOWED, ErrorCode::InvalidRequest),
            Self::Misdirected => (StatusCode::MISDIRECTED_REQUEST, ErrorCode::InvalidRequest),
            Self::RepeatedAuthorization | Self::CertificateHeader(_) => {
                (StatusCode::BAD_REQUEST, ErrorCode::InvalidRequest)
            }
            Self::Body(error) => (error.status(), ErrorCode::InvalidRequest),
            Self::TooManyWrites(_) => (StatusCode::TOO_MANY_REQUESTS, ErrorCode::TemporarilyUnavailable),
            Self::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, ErrorCode::TemporarilyUnavailable),
            Self::Internal => (StatusCode::INTERNAL_SERVER_ERROR, ErrorCode::ServerError),
        }
    }

    /// The reason for the log.
    pub(crate) const fn reason(self) -> RefusalReason {
        match self {
            Self::UnknownPath => RefusalReason::UnknownPath,
            Self::UnknownTenant => RefusalReason::UnknownTenant,
            Self::MethodNotAllowed(_) => RefusalReason::MethodNotAllowed,
            Self::Misdirected => RefusalReason::Misdirected,
            Self::RepeatedAuthorization => RefusalReason::RepeatedAuthorization,
            Self::CertificateHeader(_) => RefusalReason::CertificateHeaderUnreadable,
            Self::Body(_) => RefusalReason::UnreadableBody,
            Self::TooManyWrites(_) => RefusalReason::TooManyWrites,
            Self::Unavailable => RefusalReason::Unavailable,
            Self::Internal => RefusalReason::ServerFault,
        }
    }

    /// The text for people.
    pub(crate) fn detail(self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::UnknownPath => "Unknown path",
            Self::UnknownTenant => "there is no tenant of this id",
            Self::MethodNotAllowed(methods) => return Cow::Owned(format!("This path takes {methods}")),
            Self::Misdirected => "This path is not served under the name in the Host header",
            Self::RepeatedAuthorization => "The Authorization header was sent more than once",
            Self::CertificateHeader(error) => return Cow::Owned(error.to_string()),
            Self::Body(error) => return Cow::Owned(error.to_string()),
            Self::TooManyWrites(BudgetSpent { limit, .. }) => {
                return Cow::Owned(format!(
                    "The administrators of this tenant have asked for too many writes ({limit}); try again later"
                ));
            }
            Self::Unavailable => "The server cannot answer now; try again",
            Self::Internal => "The server failed to answer",
        })
    }
}
