//! Errors of the OAuth endpoints (RFC 6749 §5.2, RFC 6750 §3, RFC 7662 §2.3).

use std::sync::Once;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use grants::{BearerError, GrantError, PushError, PushedRequest};
use protocol::{ErrorCode, ErrorResponse, RefusalReason, TokenType};
use registry::methods::secret;
use registry::{ClientAuthenticationError, DpopCheck};
use tenancy::TenantError;

use super::http_error::{ErrorBody, HttpError, ResourceErrorBody};
use super::problem::AUTHENTICATION_REQUIRED;
use crate::request::{LoggedName, ServerFailure};

pub(crate) type OAuthError = HttpError<OAuthBody>;

pub(crate) type OAuthResult<T = HttpResponse> = Result<T, OAuthError>;

/// `None` if no token was sent: "The resource server SHOULD NOT include an error code" (RFC 6750
/// §3.1).
#[derive(Debug)]
pub(crate) struct OAuthBody(Option<ErrorResponse>);

impl ErrorBody for OAuthBody {
    fn from_failure(failure: ServerFailure<'_>) -> Self {
        let description = match failure {
            ServerFailure::UnknownTenant => "Unknown tenant".into(),
            ServerFailure::MethodNotAllowed(_) => "The method is not allowed here".into(),
            other => other.detail(),
        };
        let (_, code, reason) = failure.facts();
        Self(Some(ErrorResponse::new(code, reason, description)))
    }

    /// RFC 6750 has no code for a missing token, so the link points to the code of the admin API.
    fn help(&self) -> &'static str {
        self.0.as_ref().map_or(AUTHENTICATION_REQUIRED, |body| body.error.as_str())
    }

    fn to_bytes(&self) -> Option<Vec<u8>> {
        self.0.as_ref().map(|body| serde_json::to_vec(body).unwrap_or_default())
    }
}

impl OAuthBody {
    /// `None` if no token was sent.
    pub(crate) const fn response(&self) -> Option<&ErrorResponse> {
        self.0.as_ref()
    }
}

impl HttpError<OAuthBody> {
    pub(crate) fn bearer_required(realm: &str) -> Self {
        Self::with(StatusCode::UNAUTHORIZED, None, RefusalReason::TokenMissing, OAuthBody(None))
            .with_token_challenges(realm)
    }

    /// A failed client authentication, before the throttling of the source is added.
    pub(crate) fn of_authentication(error: &ClientAuthenticationError) -> Self {
        let body = ErrorResponse::new(error.error_code(), error.reason(), error.description());
        let mut refused = Self::from(body);
        refused.refused.named =
            error.claimed_client().cloned().map_or(LoggedName::Nothing, LoggedName::Client);
        refused
    }

    /// Turns a failed client authentication into a refused access token, because the credential was
    /// sent as an access token.
    pub(crate) fn of_token(self) -> Self {
        if self.code != Some(ErrorCode::InvalidClient) {
            return self;
        }
        let code = ErrorCode::InvalidToken;
        let body = ErrorResponse::new(code, self.refused.reason, "Token is not accepted");
        Self { code: Some(code), body: OAuthBody(Some(body)), ..self }
    }

    /// The tenant that must have issued an access token is not served.
    pub(crate) fn of_resource_tenant(error: TenantError) -> Self {
        match error {
            TenantError::Unknown | TenantError::Suspended(_) | TenantError::StrategyNotEnabled(_) => {
                BearerError::TenantSuspended.into()
            }
            TenantError::Store(_) => error.into(),
        }
    }

    /// Adds the challenge for a failed client authentication (RFC 6749 §5.2, RFC 7617 §2).
    pub(crate) fn in_realm(self, realm: &str) -> Self {
        if self.status != StatusCode::UNAUTHORIZED || self.code != Some(ErrorCode::InvalidClient) {
            return self;
        }
        Self { challenge: Some(format!("Basic realm=\"{realm}\"").into()), ..self }
    }

    /// Adds the challenge for a refused token or a refused proof (RFC 6750 §3, RFC 9449 §7.1).
    pub(crate) fn in_resource_realm(self, scheme: TokenType, realm: &str, scope: Option<&str>) -> Self {
        let Some(ErrorResponse { error, error_description, .. }) = self.body.0.clone() else { return self };
        let scope = scope.filter(|_| error == ErrorCode::InsufficientScope);
        let challenge = Some((error, &*error_description));
        match error {
            ErrorCode::InvalidToken | ErrorCode::InsufficientScope => {
                self.with_token_challenge(scheme, realm, challenge, scope)
            }
            // The token endpoint responds with 400, a resource with 401.
            ErrorCode::InvalidDpopProof | ErrorCode::UseDpopNonce => {
                let refused = self.with_token_challenge(TokenType::DPoP, realm, challenge, None);
                Self { status: StatusCode::UNAUTHORIZED, ..refused }
            }
            _ => self,
        }
    }
}

/// RFC 6749 §5.2, RFC 6750 §3.1, RFC 8707 §2.
const fn status(error: ErrorCode) -> StatusCode {
    match error {
        ErrorCode::InvalidClient | ErrorCode::InvalidToken => StatusCode::UNAUTHORIZED,
        ErrorCode::InsufficientScope => StatusCode::FORBIDDEN,
        ErrorCode::NotFound => StatusCode::NOT_FOUND,
        ErrorCode::TemporarilyUnavailable => StatusCode::SERVICE_UNAVAILABLE,
        ErrorCode::ServerError => StatusCode::INTERNAL_SERVER_ERROR,
        // RFC 6749 §5.2: "400 (Bad Request) status code (unless specified otherwise)".
        _ => StatusCode::BAD_REQUEST,
    }
}

impl From<ErrorResponse> for OAuthError {
    fn from(body: ErrorResponse) -> Self {
        Self::with(status(body.error), Some(body.error), body.reason, OAuthBody(Some(body)))
    }
}

impl From<ClientAuthenticationError> for OAuthError {
    fn from(error: ClientAuthenticationError) -> Self {
        let refused = Self::of_authentication(&error);
        match error {
            ClientAuthenticationError::Store(error) => error.into(),
            ClientAuthenticationError::Busy => Self::unavailable(&error),
            ClientAuthenticationError::Refused { reason: secret::SAMPLE, wait: None, .. } => {
                warn_of_sample_secret();
                refused
            }
            // RFC 6585 §4.
            ClientAuthenticationError::Refused { wait: Some(wait), .. } => Self {
                status: StatusCode::TOO_MANY_REQUESTS,
                retry_after: Some(u32::try_from(wait.seconds()).unwrap_or(u32::MAX)),
                ..refused
            },
            _ => refused,
        }
    }
}

impl ResourceErrorBody for OAuthBody {
    fn refuse_proof(failed: DpopCheck) -> OAuthError {
        ErrorResponse::from(failed).into()
    }

    fn refuse_token(error: BearerError) -> OAuthError {
        ErrorResponse::from(&error).into()
    }
}

impl From<GrantError> for OAuthError {
    fn from(error: GrantError) -> Self {
        match error {
            GrantError::Refused { response, scope } => {
                let mut refused = Self::from(response);
                refused.refused.named =
                    scope.map_or(LoggedName::Nothing, |scope| LoggedName::Scope(Box::new(scope)));
                refused
            }
            GrantError::Bearer(error) => error.into(),
            GrantError::Client(error) => error.into(),
            GrantError::Keys(error) => error.into(),
            GrantError::Sign(error) => Self::fault(&error),
            GrantError::Store(error) => error.into(),
        }
    }
}

/// RFC 9126 §2.3 names both statuses.
impl From<PushError> for OAuthError {
    fn from(error: PushError) -> Self {
        let body = |code, reason| ErrorResponse::new(code, reason, error.to_string());
        match error {
            PushError::Store(error) => error.into(),
            PushError::TooLong => Self {
                status: StatusCode::PAYLOAD_TOO_LARGE,
                ..body(ErrorCode::InvalidRequest, RefusalReason::TooManyParameters).into()
            },
            PushError::TooMany => Self {
                status: StatusCode::TOO_MANY_REQUESTS,
                retry_after: u32::try_from(PushedRequest::expires_in()).ok(),
                ..body(ErrorCode::TemporarilyUnavailable, RefusalReason::TooManyPushedRequests).into()
            },
        }
    }
}

/// Logs the warning only once, because anyone can send a sample secret at any rate.
fn warn_of_sample_secret() {
    static WARNED: Once = Once::new();
    WARNED.call_once(|| {
        tracing::warn!(
            "a client used a published sample secret, which Latchkey does not accept while a listener is \
                beyond loopback; give the client its own secret, for example with `latchkey secret rotate`"
        );
    });
}
