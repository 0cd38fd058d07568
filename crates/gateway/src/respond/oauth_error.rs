//! The only place that turns an error code into a status, and the only place that logs a fault: once, with its causes. The code
//! goes along in the response's extensions, for whoever counts.

use std::error::Error;
use std::fmt;
use std::sync::Once;

use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, CACHE_CONTROL, ContentType, PRAGMA, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, HttpResponseBuilder, ResponseError};
use grants::{BearerError, GrantError};
use keys::KeyError;
use protocol::{ErrorCode, ErrorResponse};
use registry::ClientAuthenticationError;
use tenancy::{StoreError, TenantError};

use super::key_error_class::KeyErrorClass;

/// Whatever the shape of the answer.
pub(super) const MISDIRECTED: &str = "This path is not served under the name in the Host header";

/// A response that is not what the caller asked for.
#[derive(Debug)]
pub(crate) struct OAuthError {
    status: StatusCode,
    body: Option<ErrorResponse>,
    challenge: Option<String>,
    allow: Option<&'static str>,
    retry_after: Option<u64>,
    close: bool,
}

impl OAuthError {
    /// A refusal whose status its code does not tell.
    pub(crate) fn new(status: StatusCode, body: ErrorResponse) -> Self {
        let retry_after = (status == StatusCode::SERVICE_UNAVAILABLE).then_some(1);
        Self { status, body: Some(body), challenge: None, allow: None, retry_after, close: false }
    }

    /// An unknown path or tenant.
    pub(crate) fn not_found(description: &'static str) -> Self {
        ErrorResponse::new(ErrorCode::NotFound, description).into()
    }

    /// A method that the path does not know; `allow` names those that it does (RFC 9110 §15.5.6).
    pub(crate) fn method_not_allowed(allow: &'static str) -> Self {
        let body = ErrorResponse::invalid_request("The method is not allowed here");
        Self { allow: Some(allow), ..Self::new(StatusCode::METHOD_NOT_ALLOWED, body) }
    }

    /// A request that is meant for a name which is not ours (RFC 9110 §15.5.20).
    pub(crate) fn misdirected() -> Self {
        Self::new(StatusCode::MISDIRECTED_REQUEST, ErrorResponse::invalid_request(MISDIRECTED))
    }

    /// No token at all: "the resource server SHOULD NOT include an error code" (RFC 6750 §3.1).
    pub(crate) fn bearer_required(realm: &str) -> Self {
        let (status, challenge) = (StatusCode::UNAUTHORIZED, Some(format!("Bearer realm=\"{realm}\"")));
        Self { status, body: None, challenge, allow: None, retry_after: None, close: false }
    }

    /// A fault of ours; the cause goes into the log and nowhere else.
    pub(crate) fn fault(cause: &(dyn Error + 'static)) -> Self {
        tracing::error!(cause = %Causes(cause), "request failed");
        failed()
    }

    /// Also ends the connection.
    pub(crate) fn closing(mut self) -> Self {
        self.close = true;
        self
    }

    /// Adds the challenge that a failed client authentication carries (RFC 6749 §5.2, RFC 7617 §2).
    pub(crate) fn in_realm(mut self, realm: &str) -> Self {
        if self.status == StatusCode::UNAUTHORIZED
            && self.body.as_ref().is_some_and(|body| body.error == ErrorCode::InvalidClient)
        {
            self.challenge = Some(format!("Basic realm=\"{realm}\""));
        }
        self
    }

    /// Adds the challenge that a refused token carries (RFC 6750 §3).
    pub(crate) fn in_bearer_realm(mut self, realm: &str, scope: Option<&str>) -> Self {
        use std::fmt::Write as _;
        let Some(body) = &self.body else { return self };
        if matches!(body.error, ErrorCode::InvalidToken | ErrorCode::InsufficientScope) {
            let mut challenge = format!(
                "Bearer realm=\"{realm}\", error=\"{}\", error_description=\"{}\"",
                body.error.as_str(),
                body.error_description
            );
            if let Some(scope) = scope.filter(|_| body.error == ErrorCode::InsufficientScope) {
                let _ = write!(challenge, ", scope=\"{scope}\"");
            }
            self.challenge = Some(challenge);
        }
        self
    }

    fn unavailable(cause: &(dyn Error + 'static)) -> Self {
        tracing::warn!(cause = %Causes(cause), "request not served for now");
        busy()
    }

    fn store(error: &StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) => Self::unavailable(error),
            StoreError::Fault(_) => Self::fault(error),
        }
    }
}

fn failed() -> OAuthError {
    ErrorResponse::new(ErrorCode::ServerError, "The server failed to answer").into()
}

fn busy() -> OAuthError {
    ErrorResponse::new(ErrorCode::TemporarilyUnavailable, "The server cannot answer now; try again").into()
}

/// RFC 6749 §5.2, RFC 6750 §3.1, RFC 8707 §2.
const fn status(error: ErrorCode) -> StatusCode {
    match error {
        ErrorCode::InvalidRequest
        | ErrorCode::UnauthorizedClient
        | ErrorCode::UnsupportedGrantType
        | ErrorCode::InvalidScope
        | ErrorCode::InvalidTarget => StatusCode::BAD_REQUEST,
        ErrorCode::InvalidClient | ErrorCode::InvalidToken => StatusCode::UNAUTHORIZED,
        ErrorCode::InsufficientScope => StatusCode::FORBIDDEN,
        ErrorCode::NotFound => StatusCode::NOT_FOUND,
        ErrorCode::TemporarilyUnavailable => StatusCode::SERVICE_UNAVAILABLE,
        ErrorCode::ServerError => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

impl From<ErrorResponse> for OAuthError {
    fn from(body: ErrorResponse) -> Self {
        Self::new(status(body.error), body)
    }
}

impl From<TenantError> for OAuthError {
    fn from(error: TenantError) -> Self {
        match error {
            TenantError::Unknown => Self::not_found("Unknown tenant"),
            TenantError::Store(error) => Self::store(&error),
        }
    }
}

impl From<ClientAuthenticationError> for OAuthError {
    fn from(error: ClientAuthenticationError) -> Self {
        match &error {
            ClientAuthenticationError::Store(error) => Self::store(error),
            ClientAuthenticationError::Busy => Self::unavailable(&error),
            _ => {
                if matches!(error, ClientAuthenticationError::SampleSecret) {
                    warn_of_sample_secret();
                }
                let body = ErrorResponse::new(error.error_code(), error.description());
                match error {
                    // RFC 6585 §4.
                    ClientAuthenticationError::TooManyFailures(wait) => Self {
                        retry_after: Some(wait.seconds()),
                        ..Self::new(StatusCode::TOO_MANY_REQUESTS, body)
                    },
                    _ => body.into(),
                }
            }
        }
    }
}

impl From<KeyError> for OAuthError {
    fn from(error: KeyError) -> Self {
        match KeyErrorClass::of(&error) {
            KeyErrorClass::Store(error) => Self::store(&error),
            KeyErrorClass::Unavailable => busy(),
            KeyErrorClass::Failed => failed(),
        }
    }
}

impl From<GrantError> for OAuthError {
    fn from(error: GrantError) -> Self {
        match error {
            GrantError::Refused(body) => body.into(),
            GrantError::Bearer(refusal) => ErrorResponse::from(&refusal).into(),
            GrantError::Keys(error) => error.into(),
            GrantError::Sign(error) => Self::fault(&error),
            GrantError::Store(error) => Self::store(&error),
        }
    }
}

impl From<BearerError> for OAuthError {
    fn from(refusal: BearerError) -> Self {
        ErrorResponse::from(&refusal).into()
    }
}

impl fmt::Display for OAuthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.status)
    }
}

impl ResponseError for OAuthError {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponseBuilder::new(self.status);
        response.insert_header((CACHE_CONTROL, "no-store")).insert_header((PRAGMA, "no-cache"));
        if let Some(challenge) = &self.challenge {
            response.insert_header((WWW_AUTHENTICATE, challenge.as_str()));
        }
        if let Some(allow) = self.allow {
            response.insert_header((ALLOW, allow));
        }
        if let Some(seconds) = self.retry_after {
            response.insert_header((RETRY_AFTER, seconds));
        }
        if self.close {
            response.force_close();
        }
        match &self.body {
            Some(body) => {
                response.extensions_mut().insert(body.error);
                response.insert_header(ContentType::json()).body(serde_json::to_vec(body).unwrap_or_default())
            }
            None => response.finish(),
        }
    }
}

/// Once in the life of the program: anyone may present one, as often as he likes.
fn warn_of_sample_secret() {
    static WARNED: Once = Once::new();
    WARNED.call_once(|| {
        tracing::warn!(
            "a client came with a secret that the samples print, which proves nothing while a listener is beyond loopback; \
             give it one of its own, such as with `latchkey secret rotate`"
        );
    });
}

/// An error with its causes on one line.
pub(super) struct Causes<'a>(pub(super) &'a (dyn Error + 'static));

impl fmt::Display for Causes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}
