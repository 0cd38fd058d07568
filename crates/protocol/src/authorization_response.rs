//! The answer of the authorization endpoint: parameters that the browser carries to the client's
//! redirect URI (RFC 6749 §4.1.2, RFC 9207 §2).

use std::borrow::Cow;

use strum::{EnumString, IntoStaticStr, VariantArray};
use url::form_urlencoded::byte_serialize;

use crate::{ErrorCode, ErrorResponse, RefusalReason};

/// A registered error code of the authorization endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum AuthorizationErrorCode {
    /// A parameter is missing, repeated or malformed (RFC 6749 §4.1.2.1).
    InvalidRequest,
    /// The client may not use this grant (RFC 6749 §4.1.2.1).
    UnauthorizedClient,
    /// The person refused consent (RFC 6749 §4.1.2.1).
    AccessDenied,
    /// The response type is not `code` (RFC 6749 §4.1.2.1).
    UnsupportedResponseType,
    /// The scope is malformed, or the client is not registered for it (RFC 6749 §4.1.2.1).
    InvalidScope,
    /// The resource is malformed, or the client may not request it (RFC 8707 §2).
    InvalidTarget,
    /// The request has `prompt=none`, and the person has to sign in (OpenID Connect Core §3.1.2.6).
    LoginRequired,
    /// The request has `prompt=none`, and the person has to consent (OpenID Connect Core §3.1.2.6).
    ConsentRequired,
    /// The request has `prompt=none`, and the person would have to do something else (OpenID
    /// Connect Core §3.1.2.6).
    InteractionRequired,
    /// The server cannot authenticate the person in the way that the client demands (OpenID Connect
    /// Core Unmet Authentication Requirements 1.0).
    UnmetAuthenticationRequirements,
    /// The client may not send request objects (OpenID Connect Core §3.1.2.6).
    RequestNotSupported,
    /// The request URI belongs to another server (OpenID Connect Core §3.1.2.6).
    RequestUriNotSupported,
    /// The request URI has expired, was already used, or belongs to another client (RFC 9101 §6.3).
    InvalidRequestUri,
    /// The request object was not signed by the client, is for another server, or is outside its
    /// validity (RFC 9101 §6.3).
    InvalidRequestObject,
    /// The server cannot take the request now (RFC 6749 §4.1.2.1).
    TemporarilyUnavailable,
}

impl AuthorizationErrorCode {
    pub const ALL: &[Self] = Self::VARIANTS;

    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthorizationError {
    pub error: AuthorizationErrorCode,
    /// For developers. Printable ASCII without text from the request, because the server puts it
    /// into a URL.
    pub description: Cow<'static, str>,
}

impl AuthorizationError {
    #[must_use]
    pub fn invalid_request(description: impl Into<Cow<'static, str>>) -> Self {
        Self::new(AuthorizationErrorCode::InvalidRequest, description)
    }

    #[must_use]
    pub fn new(error: AuthorizationErrorCode, description: impl Into<Cow<'static, str>>) -> Self {
        Self { error, description: description.into() }
    }
}

/// Reading the form fails with the codes of the token endpoint. An authorization error has its own
/// list of codes.
impl From<ErrorResponse> for AuthorizationError {
    fn from(refusal: ErrorResponse) -> Self {
        let error = match refusal.error {
            ErrorCode::InvalidScope => AuthorizationErrorCode::InvalidScope,
            ErrorCode::InvalidTarget => AuthorizationErrorCode::InvalidTarget,
            _ => AuthorizationErrorCode::InvalidRequest,
        };
        Self::new(error, refusal.error_description)
    }
}

/// A pushed request is refused in the form of the token endpoint (RFC 9126 §2.3).
impl From<AuthorizationError> for ErrorResponse {
    fn from(AuthorizationError { error, description }: AuthorizationError) -> Self {
        use {AuthorizationErrorCode as From, ErrorCode as Code, RefusalReason as Reason};
        let other = Reason::AuthorizationRequestRefused;
        let (error, reason) = match error {
            From::RequestNotSupported => (Code::RequestNotSupported, Reason::RequestObjectNotSupported),
            From::RequestUriNotSupported => (Code::RequestUriNotSupported, Reason::RequestUriElsewhere),
            From::InvalidRequestUri => (Code::InvalidRequestUri, Reason::RequestUriNotValid),
            From::InvalidRequestObject => (Code::InvalidRequestObject, Reason::RequestObjectNotValid),
            From::UnauthorizedClient => (Code::UnauthorizedClient, other),
            From::UnsupportedResponseType => (Code::UnsupportedResponseType, other),
            From::InvalidScope => (Code::InvalidScope, other),
            From::InvalidTarget => (Code::InvalidTarget, other),
            From::UnmetAuthenticationRequirements => (Code::UnmetAuthenticationRequirements, other),
            From::TemporarilyUnavailable => (Code::TemporarilyUnavailable, other),
            // These errors concern a person, and no person takes part in a push.
            From::InvalidRequest
            | From::AccessDenied
            | From::LoginRequired
            | From::ConsentRequired
            | From::InteractionRequired => (Code::InvalidRequest, other),
        };
        Self::new(error, reason, description)
    }
}

/// How the parameters reach the client (OAuth 2.0 Multiple Response Type Encoding Practices §2.1,
/// OAuth 2.0 Form Post Response Mode §2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum ResponseMode {
    /// In the query of the redirect URI.
    #[default]
    Query,
    /// In a form that the browser posts to the redirect URI.
    FormPost,
}

impl ResponseMode {
    /// For the metadata.
    pub const SERVED: [&str; 2] = ["query", "form_post"];
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthorizationResponse {
    pub redirect_uri: String,
    pub mode: ResponseMode,
    /// Returned as the client sent it.
    pub state: Option<String>,
    /// Tells the client which server answers, against mix-up attacks (RFC 9207).
    pub iss: String,
    /// The authorization code, or the error.
    pub outcome: Result<String, AuthorizationError>,
}

impl AuthorizationResponse {
    #[must_use]
    pub fn parameters(&self) -> Vec<(&'static str, &str)> {
        let mut parameters = match &self.outcome {
            Ok(code) => vec![("code", code.as_str())],
            Err(refused) => {
                vec![("error", refused.error.as_str()), ("error_description", &*refused.description)]
            }
        };
        parameters.extend(self.state.as_deref().map(|state| ("state", state)));
        parameters.push(("iss", &self.iss));
        parameters
    }

    /// The redirect URI with the parameters added to its query.
    #[must_use]
    pub fn location(&self) -> String {
        let mut location = self.redirect_uri.clone();
        let mut separator = if location.contains('?') { '&' } else { '?' };
        if location.ends_with(['?', '&']) {
            location.pop();
            separator = if location.contains('?') { '&' } else { '?' };
        }
        for (name, value) in self.parameters() {
            location.push(separator);
            location.push_str(name);
            location.push('=');
            location.extend(byte_serialize(value.as_bytes()));
            separator = '&';
        }
        location
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(redirect_uri: &str, outcome: Result<&str, AuthorizationError>) -> AuthorizationResponse {
        AuthorizationResponse {
            redirect_uri: redirect_uri.to_owned(),
            mode: ResponseMode::Query,
            state: Some("a b&c=ä".to_owned()),
            iss: "https://id.example".to_owned(),
            outcome: outcome.map(str::to_owned),
        }
    }

    #[test]
    fn parameters_are_appended_to_the_existing_query() {
        const ADDED: &str = "code=c&state=a+b%26c%3D%C3%A4&iss=https%3A%2F%2Fid.example";
        for (uri, expected) in [
            ("https://app.example/cb", "https://app.example/cb?"),
            ("https://app.example/cb?", "https://app.example/cb?"),
            ("https://app.example/cb?a=b", "https://app.example/cb?a=b&"),
            ("https://app.example/cb?a=b&", "https://app.example/cb?a=b&"),
            ("com.example.app:/cb", "com.example.app:/cb?"),
        ] {
            assert_eq!(response(uri, Ok("c")).location(), format!("{expected}{ADDED}"));
        }
    }

    #[test]
    fn error_response_has_code_and_description() {
        let refused = AuthorizationError::new(AuthorizationErrorCode::LoginRequired, "No one is signed in");
        let response = response("https://app.example", Err(refused));
        let expected = [("error", "login_required"), ("error_description", "No one is signed in")];
        assert_eq!(response.parameters()[..2], expected);
    }

    #[test]
    fn response_modes_round_trip() {
        for name in ResponseMode::SERVED {
            assert_eq!(<&str>::from(name.parse::<ResponseMode>().unwrap()), name);
        }
        assert!("fragment".parse::<ResponseMode>().is_err());
    }
}
