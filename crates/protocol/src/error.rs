//! Protocol refusals as the caller sees them (RFC 6749 §5.2, RFC 6750 §3.1, RFC 8707 §2, RFC 9101 §6.3, RFC
//! 9126 §2.3, RFC 9449 §5).

use std::borrow::Cow;

use serde::Serialize;
use strum::{IntoStaticStr, VariantArray};

use crate::RefusalReason;

/// A registered error code. Only the gateway decides its HTTP status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, IntoStaticStr, VariantArray)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum ErrorCode {
    /// A parameter is missing, repeated or malformed (RFC 6749 §5.2).
    InvalidRequest,
    /// Client authentication failed (RFC 6749 §5.2).
    InvalidClient,
    /// The code is unknown, ended, used, or was issued for another request (RFC 6749 §5.2).
    InvalidGrant,
    /// The client may not use this grant type (RFC 6749 §5.2).
    UnauthorizedClient,
    /// The server does not serve this grant type (RFC 6749 §5.2).
    UnsupportedGrantType,
    /// Another response type than `code`, in a pushed request (RFC 9126 §2.3).
    UnsupportedResponseType,
    /// A pushed request contains a request object that the client may not send (OpenID Connect Core
    /// §3.1.2.6).
    RequestNotSupported,
    /// A request URI in a pushed request (OpenID Connect Core §3.1.2.6).
    RequestUriNotSupported,
    /// No person can be authenticated as a pushed request demands (OpenID Connect Core Unmet Authentication
    /// Requirements 1.0).
    UnmetAuthenticationRequirements,
    /// The request object is not valid (RFC 9101 §6.3).
    InvalidRequestObject,
    /// The request URI is not valid (RFC 9101 §6.3).
    InvalidRequestUri,
    /// The scope is unknown, malformed or more than the client may have (RFC 6749 §5.2).
    InvalidScope,
    /// The resource is malformed, or the client may not request it (RFC 8707 §2).
    InvalidTarget,
    /// No person has decided on the device yet (RFC 8628 §3.5).
    AuthorizationPending,
    /// The device polls too often, or has too many codes at once (RFC 8628 §3.5).
    SlowDown,
    /// The person has refused the device (RFC 8628 §3.5).
    AccessDenied,
    /// The device's code has expired (RFC 8628 §3.5).
    ExpiredToken,
    /// The DPoP proof is missing or not accepted (RFC 9449 §5).
    InvalidDpopProof,
    /// The DPoP proof needs a nonce, which the answer has (RFC 9449 §8).
    UseDpopNonce,
    /// The bearer token is expired, malformed or not ours (RFC 6750 §3.1).
    InvalidToken,
    /// The bearer token lacks a scope (RFC 6750 §3.1).
    InsufficientScope,
    /// No such path or tenant. Ours: RFC 6749 names no code for it.
    NotFound,
    /// The store or a queue cannot take the request now (RFC 6749 §4.1.2.1, used with 503).
    TemporarilyUnavailable,
    /// An internal fault of the server (RFC 6749 §4.1.2.1, used with 500).
    ServerError,
}

impl ErrorCode {
    /// All of them, in the order of their declaration.
    pub const ALL: &[Self] = Self::VARIANTS;

    /// The code as it is written on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// `{"error":…,"error_description":…}` (RFC 6749 §5.2). The description is for developers, in printable
/// ASCII. From the request it repeats only the name of a parameter, and scopes that an authenticated client
/// may not have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ErrorResponse {
    /// The code that programs act on.
    pub error: ErrorCode,
    /// The sentence that people read.
    pub error_description: Cow<'static, str>,
    /// The reason for the log.
    #[serde(skip)]
    pub reason: RefusalReason,
}

impl ErrorResponse {
    /// A refusal with its sentence.
    #[must_use]
    pub fn new(error: ErrorCode, reason: RefusalReason, description: impl Into<Cow<'static, str>>) -> Self {
        Self { error, error_description: description.into(), reason }
    }

    /// `invalid_request` with its sentence.
    #[must_use]
    pub fn invalid_request(reason: RefusalReason, description: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorCode::InvalidRequest, reason, description)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // [oauth RFC 6749 §5.2]
    #[test]
    fn members_stand_in_their_documented_order() {
        let refusal =
            ErrorResponse::invalid_request(RefusalReason::MissingParameter, "Missing grant_type parameter");
        let body = serde_json::to_string(&refusal).unwrap();
        assert_eq!(body, r#"{"error":"invalid_request","error_description":"Missing grant_type parameter"}"#);
        let code = ErrorCode::InsufficientScope;
        assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
    }
}
