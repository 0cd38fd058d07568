//! Protocol refusals as the caller sees them (RFC 6749 §5.2, RFC 6750 §3.1, RFC 8707 §2, RFC 9101 §6.3, RFC
//! 9126 §2.3, RFC 9449 §5).

use std::borrow::Cow;

use serde::Serialize;
use strum::{IntoStaticStr, VariantArray};

use crate::RefusalReason;

/// The gateway chooses the HTTP status of each code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, IntoStaticStr, VariantArray)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum ErrorCode {
    /// A parameter is missing, repeated or malformed (RFC 6749 §5.2).
    InvalidRequest,
    /// Client authentication failed (RFC 6749 §5.2).
    InvalidClient,
    /// The code or token is unknown, expired, already used, or was issued for another request (RFC
    /// 6749 §5.2).
    InvalidGrant,
    /// The client may not use this grant type (RFC 6749 §5.2).
    UnauthorizedClient,
    /// The server does not serve this grant type (RFC 6749 §5.2).
    UnsupportedGrantType,
    /// The response type of a pushed request is not `code` (RFC 9126 §2.3).
    UnsupportedResponseType,
    /// A pushed request contains a request object that the client may not send (OpenID Connect Core
    /// §3.1.2.6).
    RequestNotSupported,
    /// A pushed request contains a request URI (OpenID Connect Core §3.1.2.6).
    RequestUriNotSupported,
    /// The server cannot authenticate the person as a pushed request demands (OpenID Connect Core
    /// Unmet Authentication Requirements 1.0).
    UnmetAuthenticationRequirements,
    /// The request object is not valid (RFC 9101 §6.3).
    InvalidRequestObject,
    /// The request URI is not valid (RFC 9101 §6.3).
    InvalidRequestUri,
    /// The scope is unknown or malformed, or the client is not registered for it (RFC 6749 §5.2).
    InvalidScope,
    /// The resource is malformed, or the client may not request it (RFC 8707 §2).
    InvalidTarget,
    /// No person has decided on the device yet (RFC 8628 §3.5).
    AuthorizationPending,
    /// The device polls too often, or has too many codes at the same time (RFC 8628 §3.5).
    SlowDown,
    /// The person has refused the device (RFC 8628 §3.5).
    AccessDenied,
    /// The device's code has expired (RFC 8628 §3.5).
    ExpiredToken,
    /// The DPoP proof is missing or invalid (RFC 9449 §5).
    InvalidDpopProof,
    /// The DPoP proof needs the nonce that the response contains (RFC 9449 §8).
    UseDpopNonce,
    /// The bearer token is expired, malformed or of another issuer (RFC 6750 §3.1).
    InvalidToken,
    /// The bearer token lacks a scope (RFC 6750 §3.1).
    InsufficientScope,
    /// The path or the tenant does not exist. RFC 6749 has no code for this error.
    NotFound,
    /// The store or a queue cannot take the request now (RFC 6749 §4.1.2.1, used with 503).
    TemporarilyUnavailable,
    /// An internal fault of the server (RFC 6749 §4.1.2.1, used with 500).
    ServerError,
}

impl ErrorCode {
    pub const ALL: &[Self] = Self::VARIANTS;

    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// `{"error":…,"error_description":…}` (RFC 6749 §5.2). The description is for developers, in
/// printable ASCII. It never repeats text from the request, except for names of parameters and the
/// scopes that an authenticated client may not have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ErrorResponse {
    pub error: ErrorCode,
    pub error_description: Cow<'static, str>,
    /// Only for the log. The caller does not see it.
    #[serde(skip)]
    pub reason: RefusalReason,
}

impl ErrorResponse {
    #[must_use]
    pub fn new(error: ErrorCode, reason: RefusalReason, description: impl Into<Cow<'static, str>>) -> Self {
        Self { error, error_description: description.into(), reason }
    }

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
    fn members_are_in_documented_order() {
        let refusal =
            ErrorResponse::invalid_request(RefusalReason::MissingParameter, "Missing grant_type parameter");
        let body = serde_json::to_string(&refusal).unwrap();
        assert_eq!(body, r#"{"error":"invalid_request","error_description":"Missing grant_type parameter"}"#);
        let code = ErrorCode::InsufficientScope;
        assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
    }
}
