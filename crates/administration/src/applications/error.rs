//! Why an application is refused, by the codes that callers of this surface know.

use crate::EditError;

/// An application was not made, changed or shown.
#[derive(Debug, thiserror::Error)]
pub enum ApplicationError {
    /// What was sent cannot be used.
    #[error(transparent)]
    Refused(#[from] RejectedApplication),
    /// As at every door.
    #[error(transparent)]
    Edit(#[from] EditError),
}

/// A code of this surface. Those about pages, themes and user types are never given: what has no effect here is kept and not judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApplicationCode {
    /// No application has this identifier.
    NotFound,
    /// The identifier is no UUID.
    InvalidId,
    /// No client can have this identifier.
    InvalidClientId,
    /// No application can have this name.
    InvalidName,
    /// `url` is no absolute URI.
    InvalidUrl,
    /// `logo_url` is no absolute URI.
    InvalidLogoUrl,
    /// `auth_flow_id` cannot be a name.
    InvalidAuthFlowId,
    /// `registration_flow_id` cannot be a name.
    InvalidRegistrationFlowId,
    /// `inbound_auth_config` holds something else than one `oauth2`.
    InvalidInboundAuthConfig,
    /// An unknown or absent grant.
    InvalidGrantType,
    /// An unknown or absent response type.
    InvalidResponseType,
    /// A redirect URI is none.
    InvalidRedirectUri,
    /// An unknown or absent method.
    InvalidAuthMethod,
    /// `certificate.type` is unknown.
    InvalidCertificateType,
    /// `certificate.value` is no JWK set.
    InvalidCertificateValue,
    /// `certificate.value` is no URI.
    InvalidJwksUri,
    /// The body is no application.
    InvalidRequest,
    /// Another application has the name.
    NameExists,
    /// The client identifier is taken, or was.
    ClientIdExists,
    /// `certificate.value` is not https.
    JwksUriNotHttps,
    /// A public client with what only others have.
    InvalidPublicClient,
    /// Anything else that cannot stand in `config`.
    InvalidOauthConfig,
}

/// Nothing was changed, because of this.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {description}", .code.as_str())]
pub struct RejectedApplication {
    /// Which code.
    pub code: ApplicationCode,
    /// What is wrong and how to mend it.
    pub description: String,
}

impl RejectedApplication {
    pub(crate) fn new(code: ApplicationCode, description: impl Into<String>) -> Self {
        Self { code, description: description.into() }
    }

    /// For an identifier that nothing has, here.
    #[must_use]
    pub fn not_found() -> Self {
        Self::new(ApplicationCode::NotFound, "There is no application of this id")
    }

    /// For a body that is no application.
    #[must_use]
    pub fn malformed(description: impl Into<String>) -> Self {
        Self::new(ApplicationCode::InvalidRequest, description)
    }
}

impl ApplicationCode {
    /// The code and its title, as callers know them.
    const fn code_and_title(self) -> (&'static str, &'static str) {
        match self {
            Self::NotFound => ("APP-1001", "Application not found"),
            Self::InvalidId => ("APP-1002", "Invalid application ID"),
            Self::InvalidClientId => ("APP-1003", "Invalid client ID"),
            Self::InvalidName => ("APP-1004", "Invalid application name"),
            Self::InvalidUrl => ("APP-1005", "Invalid application URL"),
            Self::InvalidLogoUrl => ("APP-1006", "Invalid logo URL"),
            Self::InvalidAuthFlowId => ("APP-1007", "Invalid auth flow ID"),
            Self::InvalidRegistrationFlowId => ("APP-1008", "Invalid registration flow ID"),
            Self::InvalidInboundAuthConfig => ("APP-1009", "Invalid inbound auth config"),
            Self::InvalidGrantType => ("APP-1010", "Invalid grant type"),
            Self::InvalidResponseType => ("APP-1011", "Invalid response type"),
            Self::InvalidRedirectUri => ("APP-1012", "Invalid redirect URI"),
            Self::InvalidAuthMethod => ("APP-1013", "Invalid token endpoint authentication method"),
            Self::InvalidCertificateType => ("APP-1014", "Invalid certificate type"),
            Self::InvalidCertificateValue => ("APP-1015", "Invalid certificate value"),
            Self::InvalidJwksUri => ("APP-1016", "Invalid JWKS URI"),
            Self::InvalidRequest => ("APP-1018", "Invalid request format"),
            Self::NameExists => ("APP-1020", "Application already exists"),
            Self::ClientIdExists => ("APP-1021", "Application with client ID already exists"),
            Self::JwksUriNotHttps => ("APP-1022", "Invalid JWKS URI scheme"),
            Self::InvalidPublicClient => ("APP-1023", "Invalid public client configuration"),
            Self::InvalidOauthConfig => ("APP-1024", "Invalid OAuth configuration"),
        }
    }

    /// As `APP-1001`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.code_and_title().0
    }

    /// Its title.
    #[must_use]
    pub const fn message(self) -> &'static str {
        self.code_and_title().1
    }
}
