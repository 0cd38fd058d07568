//! The members of an OpenID Provider's metadata beside those of an authorization server (OpenID Connect
//! Discovery §3, RFC 9207 §3, RP-Initiated Logout §2.1). A feature that is not served is named if its absence
//! would mean that it is served.

use serde::Serialize;

use crate::{ResponseMode, SigningAlgorithm, SubjectType};

/// The members of an OpenID Provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OpenIdMetadata {
    /// The endpoint for pushed requests (RFC 9126 §5).
    pub pushed_authorization_request_endpoint: String,
    /// A client decides for itself whether it pushes all of its requests.
    pub require_pushed_authorization_requests: bool,
    pub userinfo_endpoint: String,
    /// The device authorization endpoint (RFC 8628 §4).
    pub device_authorization_endpoint: String,
    /// The endpoint where people sign out.
    pub end_session_endpoint: String,
    /// Whether clients are notified of the end of a session (Back-Channel Logout §2.1).
    pub backchannel_logout_supported: bool,
    /// Whether logout tokens name the session.
    pub backchannel_logout_session_supported: bool,
    /// How answers travel.
    pub response_modes_supported: [&'static str; 2],
    /// How the `sub` of a client relates to those of others.
    pub subject_types_supported: [&'static str; 2],
    pub id_token_signing_alg_values_supported: [SigningAlgorithm; 1],
    /// The authentication context classes of people.
    pub acr_values_supported: [&'static str; 1],
    /// The values of `prompt`.
    pub prompt_values_supported: [&'static str; 4],
    /// How claims are given.
    pub claim_types_supported: [&'static str; 1],
    /// The claims of people.
    pub claims_supported: Vec<&'static str>,
    /// Whether clients can request claims individually.
    pub claims_parameter_supported: bool,
    /// Request objects are served to clients that have keys (RFC 9101).
    pub request_parameter_supported: bool,
    /// The algorithms of request objects. An unsigned one is refused.
    pub request_object_signing_alg_values_supported: [SigningAlgorithm; 7],
    /// The parameter `request_uri` is refused; without this member it would be supported.
    pub request_uri_parameter_supported: bool,
    /// The methods of code challenges (RFC 8414 §2).
    pub code_challenge_methods_supported: [&'static str; 1],
    /// Whether each answer names the issuer (RFC 9207 §3).
    pub authorization_response_iss_parameter_supported: bool,
    /// The languages of the pages.
    pub ui_locales_supported: [&'static str; 1],
}

/// The endpoints of a provider that request client certificates. A client without one does not use them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OpenIdAliases {
    /// The endpoint for pushed authorization requests (RFC 9126 §2).
    pub pushed_authorization_request_endpoint: String,
    pub device_authorization_endpoint: String,
    /// The userinfo endpoint, for tokens that are bound to a certificate.
    pub userinfo_endpoint: String,
}

impl OpenIdAliases {
    pub(crate) fn new(base: &str) -> Self {
        Self {
            pushed_authorization_request_endpoint: format!("{base}/oauth/par"),
            device_authorization_endpoint: format!("{base}/oauth/device_authorization"),
            userinfo_endpoint: format!("{base}/oauth/userinfo"),
        }
    }
}

impl OpenIdMetadata {
    /// The classes of authentication that people can reach.
    pub const ACR_VALUES: [&str; 1] = ["urn:latchkey:acr:1"];

    /// The members of a provider whose endpoints are below `base`, and whose ID tokens are signed with this
    /// algorithm.
    #[must_use]
    pub fn new(base: &str, algorithm: SigningAlgorithm, claims_supported: Vec<&'static str>) -> Self {
        let endpoints = OpenIdAliases::new(base);
        Self {
            pushed_authorization_request_endpoint: endpoints.pushed_authorization_request_endpoint,
            require_pushed_authorization_requests: false,
            userinfo_endpoint: endpoints.userinfo_endpoint,
            device_authorization_endpoint: endpoints.device_authorization_endpoint,
            end_session_endpoint: format!("{base}/oauth/logout"),
            backchannel_logout_supported: true,
            backchannel_logout_session_supported: true,
            response_modes_supported: ResponseMode::SERVED,
            subject_types_supported: SubjectType::NAMES,
            id_token_signing_alg_values_supported: [algorithm],
            acr_values_supported: Self::ACR_VALUES,
            prompt_values_supported: ["none", "login", "consent", "select_account"],
            claim_types_supported: ["normal"],
            claims_supported,
            claims_parameter_supported: true,
            request_parameter_supported: true,
            request_object_signing_alg_values_supported: SigningAlgorithm::ALL,
            request_uri_parameter_supported: false,
            code_challenge_methods_supported: ["S256"],
            authorization_response_iss_parameter_supported: true,
            ui_locales_supported: ["en"],
        }
    }
}
