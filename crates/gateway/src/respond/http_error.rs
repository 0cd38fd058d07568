//! Errors as HTTP responses, for all APIs: status, headers and log fields. Each API has an
//! [`ErrorBody`] in its own form: RFC 6749, RFC 9457 or Thunder's.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::http::header::{
    ALLOW, CONTENT_TYPE, HeaderName, InvalidHeaderValue, RETRY_AFTER, WWW_AUTHENTICATE,
};
use actix_web::{HttpResponse, HttpResponseBuilder, ResponseError};
use grants::BearerError;
use keys::{KeyError, SealError};
use parking_lot::Mutex;
use protocol::{ErrorCode, RefusalReason, SigningAlgorithm, TokenType};
use registry::{DpopCheck, SingleUseError};
use tenancy::{StoreError, Tenant, TenantError};
use values::causes;

use super::error_help::ErrorHelp;
use super::no_store::no_store;
use crate::request::{BodyError, LoggedName, RequestRefusal, ServerFailure};

/// A nonce for the next proof (RFC 9449 §8.1).
pub(crate) const DPOP_NONCE: HeaderName = HeaderName::from_static("dpop-nonce");

#[derive(Debug)]
pub(crate) struct HttpError<B> {
    pub(crate) status: StatusCode,
    /// The code in the metrics.
    pub(crate) code: Option<ErrorCode>,
    /// For the access log.
    pub(crate) refused: RequestRefusal,
    pub(crate) challenge: Option<Box<str>>,
    /// Whether to add a second challenge with the scheme DPoP.
    pub(crate) offers_dpop: bool,
    /// A header that only this error has.
    pub(crate) own_header: Option<Box<(HeaderName, String)>>,
    /// Seconds.
    pub(crate) retry_after: Option<u32>,
    /// Whether to close the connection.
    pub(crate) close: bool,
    pub(crate) body: B,
}

/// The form of an API's errors.
pub(crate) trait ErrorBody: fmt::Debug + Sized + 'static {
    const MEDIA_TYPE: &'static str = "application/json";

    fn from_failure(failure: ServerFailure<'_>) -> Self;

    /// The code of the section in docs/errors.md.
    fn help(&self) -> &'static str;

    /// `None` if the response has no body.
    fn to_bytes(&self) -> Option<Vec<u8>>;

    /// Adds headers that only this form needs.
    fn protect(&self, _response: &mut HttpResponseBuilder) {}
}

/// The error body of an API that accepts access tokens and DPoP proofs.
pub(crate) trait ResourceErrorBody: ErrorBody {
    fn refuse_proof(failed: DpopCheck) -> HttpError<Self>;

    fn refuse_token(error: BearerError) -> HttpError<Self>;
}

impl<B: ErrorBody> HttpError<B> {
    /// An error without headers of its own.
    pub(crate) fn with(status: StatusCode, code: Option<ErrorCode>, reason: RefusalReason, body: B) -> Self {
        let refused = RequestRefusal::because(reason);
        Self {
            status,
            code,
            refused,
            challenge: None,
            offers_dpop: false,
            own_header: None,
            retry_after: retry_after(status),
            close: false,
            body,
        }
    }

    /// An internal error. The cause is only written to the log.
    pub(crate) fn fault(cause: &(dyn Error + 'static)) -> Self {
        tracing::error!(cause = %causes(cause), "request failed");
        ServerFailure::Internal.into()
    }

    /// A temporary failure. The health check reports the first cause, so that an outage is not
    /// logged for each request.
    pub(crate) fn unavailable(cause: &(dyn Error + 'static)) -> Self {
        let mut unserved = UNSERVED.lock();
        unserved.get_or_insert_with(|| causes(cause));
        ServerFailure::Unavailable.into()
    }

    /// A suspended tenant looks like an unknown tenant.
    fn not_serving(tenant: Arc<Tenant>, reason: RefusalReason) -> Self {
        let refused = RequestRefusal { reason, named: LoggedName::Tenant(tenant) };
        Self { refused, ..ServerFailure::UnknownTenant.into() }
    }

    /// Replaces the reason in the log.
    pub(crate) fn because(mut self, reason: RefusalReason) -> Self {
        self.refused.reason = reason;
        self
    }

    /// Adds a nonce for the next proof.
    pub(crate) fn with_dpop_nonce(self, nonce: Option<String>) -> Self {
        Self { own_header: nonce.map(|nonce| Box::new((DPOP_NONCE, nonce))), ..self }
    }

    /// Adds a challenge for this scheme (RFC 6750 §3, RFC 9449 §7.1).
    pub(crate) fn with_token_challenge(
        self,
        scheme: TokenType,
        realm: &str,
        error: Option<(ErrorCode, &str)>,
        scope: Option<&str>,
    ) -> Self {
        // RFC 9449 §7.1: "An algs parameter SHOULD be included to signal to the client the JWS
        // algorithms that are acceptable".
        let algorithms = match scheme {
            TokenType::Bearer => String::new(),
            TokenType::DPoP => format!(", {}", dpop_algorithms()),
        };
        let scheme = scheme.as_str();
        let error = error.map_or_else(String::new, |(code, description)| {
            format!(", error=\"{}\", error_description=\"{description}\"", code.as_str())
        });
        let scope = scope.map_or_else(String::new, |scope| format!(", scope=\"{scope}\""));
        Self {
            challenge: Some(format!("{scheme} realm=\"{realm}\"{error}{scope}{algorithms}").into()),
            ..self
        }
    }

    /// Adds challenges for a bearer token and for a DPoP-bound token (RFC 9449 §7.2).
    pub(crate) fn with_token_challenges(self, realm: &str) -> Self {
        Self { offers_dpop: true, ..self.with_token_challenge(TokenType::Bearer, realm, None, None) }
    }
}

/// Seconds. A response with 429 or 503 has `Retry-After`.
pub(crate) fn retry_after(status: StatusCode) -> Option<u32> {
    [StatusCode::SERVICE_UNAVAILABLE, StatusCode::TOO_MANY_REQUESTS].contains(&status).then_some(1)
}

/// The parameter `algs` of a challenge.
fn dpop_algorithms() -> String {
    format!("algs=\"{}\"", SigningAlgorithm::ALL.map(SigningAlgorithm::as_str).join(" "))
}

impl<B: ErrorBody> From<ServerFailure<'_>> for HttpError<B> {
    fn from(failure: ServerFailure<'_>) -> Self {
        let (status, code, reason) = failure.facts();
        let error = Self::with(status, Some(code), reason, B::from_failure(failure));
        match failure {
            ServerFailure::MethodNotAllowed(methods) => {
                Self { own_header: Some(Box::new((ALLOW, methods.to_owned()))), ..error }
            }
            ServerFailure::TooManyWrites(spent) => Self { retry_after: Some(spent.wait.into()), ..error },
            ServerFailure::Body(body) => Self { close: body.ends_connection(), ..error },
            _ => error,
        }
    }
}

impl<B: ErrorBody> From<BodyError> for HttpError<B> {
    fn from(error: BodyError) -> Self {
        ServerFailure::Body(error).into()
    }
}

impl<B: ErrorBody> From<InvalidHeaderValue> for HttpError<B> {
    fn from(error: InvalidHeaderValue) -> Self {
        Self::fault(&error)
    }
}

impl<B: ErrorBody> From<StoreError> for HttpError<B> {
    fn from(error: StoreError) -> Self {
        match &error {
            StoreError::Unavailable(_) => Self::unavailable(&error),
            StoreError::Fault(_) => Self::fault(&error),
        }
    }
}

impl<B: ResourceErrorBody> From<DpopCheck> for HttpError<B> {
    fn from(failed: DpopCheck) -> Self {
        B::refuse_proof(failed)
    }
}

impl<B: ResourceErrorBody> From<BearerError> for HttpError<B> {
    fn from(error: BearerError) -> Self {
        B::refuse_token(error)
    }
}

impl<B: ResourceErrorBody> From<SingleUseError> for HttpError<B> {
    fn from(error: SingleUseError) -> Self {
        match error {
            SingleUseError::Replayed => DpopCheck::Replay.into(),
            SingleUseError::ShareUsedUp => {
                Self::from(ServerFailure::Unavailable).because(RefusalReason::LimitReached)
            }
            SingleUseError::Store(error) => error.into(),
        }
    }
}

impl<B: ErrorBody> From<TenantError> for HttpError<B> {
    fn from(error: TenantError) -> Self {
        match error {
            TenantError::Unknown => ServerFailure::UnknownTenant.into(),
            TenantError::Suspended(tenant) => Self::not_serving(tenant, RefusalReason::TenantSuspended),
            TenantError::StrategyNotEnabled(tenant) => {
                Self::not_serving(tenant, RefusalReason::StrategyNotEnabled)
            }
            TenantError::Store(error) => error.into(),
        }
    }
}

/// The key ring logs an unusable key once, instead of for each request.
impl<B: ErrorBody> From<KeyError> for HttpError<B> {
    fn from(error: KeyError) -> Self {
        match error {
            KeyError::Store(error) => error.into(),
            KeyError::Unseal { source: SealError::Unavailable(_), .. }
            | KeyError::Seal { source: SealError::Unavailable(_), .. } => ServerFailure::Unavailable.into(),
            KeyError::Unseal { .. }
            | KeyError::Seal { .. }
            | KeyError::Unusable { .. }
            | KeyError::ThumbprintDiffers { .. } => ServerFailure::Internal.into(),
            KeyError::Contended { .. } | KeyError::NotReadYet { .. } => Self::unavailable(&error),
            KeyError::Generation(_) | KeyError::NoSigningKey { .. } => Self::fault(&error),
        }
    }
}

impl<B> fmt::Display for HttpError<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.status)
    }
}

impl<B: ErrorBody> ResponseError for HttpError<B> {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = no_store(self.status);
        if let Some(challenge) = &self.challenge {
            response.insert_header((WWW_AUTHENTICATE, &**challenge));
        }
        if self.offers_dpop {
            response.append_header((WWW_AUTHENTICATE, format!("DPoP {}", dpop_algorithms())));
        }
        if let Some((name, value)) = self.own_header.as_deref() {
            response.insert_header((name, value.as_str()));
        }
        if let Some(seconds) = self.retry_after {
            response.insert_header((RETRY_AFTER, u64::from(seconds)));
        }
        if self.close {
            response.force_close();
        }
        if let Some(code) = self.code {
            response.extensions_mut().insert(code);
        }
        response.extensions_mut().insert(self.refused.clone());
        response.extensions_mut().insert(ErrorHelp(self.body.help()));
        self.body.protect(&mut response);
        let Some(body) = self.body.to_bytes() else { return response.finish() };
        response.insert_header((CONTENT_TYPE, B::MEDIA_TYPE)).body(body)
    }
}

static UNSERVED: Mutex<Option<String>> = Mutex::new(None);

/// Returns and forgets the first cause that [`HttpError::unavailable`] has noted since the last
/// call.
pub fn take_unserved() -> Option<String> {
    UNSERVED.lock().take()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use keys::KeyId;
    use tenancy::TenantId;

    use super::*;
    use crate::respond::OAuthError;

    #[test]
    fn only_transient_key_errors_return_503() {
        let (tenant, key) = (TenantId::parse("acme").unwrap(), KeyId::numbered(1));
        let unseal = |source| KeyError::Unseal { tenant: tenant.clone(), key, source };
        for (error, passes) in [
            (unseal(SealError::Unavailable(Arc::new(std::io::Error::other("down")))), true),
            (unseal(SealError::Corrupt), false),
            (unseal(SealError::UnknownFormat), false),
            (KeyError::ThumbprintDiffers { tenant: tenant.clone(), key }, false),
            (KeyError::Contended { tenant: tenant.clone() }, true),
            (KeyError::NotReadYet { tenant: tenant.clone(), key }, true),
            (KeyError::NoSigningKey { tenant: tenant.clone() }, false),
        ] {
            let described = error.to_string();
            let status = OAuthError::from(error).status_code();
            assert_eq!(status == StatusCode::SERVICE_UNAVAILABLE, passes, "{described}");
        }
    }
}
