//! The metadata of an OpenID Provider in addition to the metadata of an authorization server
//! (OpenID Connect Discovery §3, RFC 9207 §3, RP-Initiated Logout §2.1). An unsupported feature is
//! listed as `false` if its default is `true`.

use serde::Serialize;

use crate::{ResponseMode, SigningAlgorithm, SubjectType};

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OpenIdMetadata {
    /// The endpoint for pushed requests (RFC 9126 §5).
    pub pushed_authorization_request_endpoint: String,
    /// Always `false`: each client decides whether it pushes its requests.
    pub require_pushed_authorization_requests: bool,
    pub userinfo_endpoint: String,
    /// The device authorization endpoint (RFC 8628 §4).
    pub device_authorization_endpoint: String,
    /// RP-Initiated Logout §2.1.
    pub end_session_endpoint: String,
    /// Back-Channel Logout §2.1.
    pub backchannel_logout_supported: bool,
    /// Whether logout tokens contain `sid` (Back-Channel Logout §2.1).
    pub backchannel_logout_session_supported: bool,
    pub response_modes_supported: [&'static str; 2],
    pub subject_types_supported: [&'static str; 2],
    pub id_token_signing_alg_values_supported: [SigningAlgorithm; 1],
    pub acr_values_supported: [&'static str; 1],
    pub prompt_values_supported: [&'static str; 4],
    pub claim_types_supported: [&'static str; 1],
    pub claims_supported: Vec<&'static str>,
    pub claims_parameter_supported: bool,
    /// Only clients with registered keys can send request objects (RFC 9101).
    pub request_parameter_supported: bool,
    /// `none` is not in the list: the server refuses unsigned request objects.
    pub request_object_signing_alg_values_supported: [SigningAlgorithm; 7],
    /// Always `false`. The default is `true` (OpenID Connect Discovery §3).
    pub request_uri_parameter_supported: bool,
    /// The methods of code challenges (RFC 8414 §2).
    pub code_challenge_methods_supported: [&'static str; 1],
    /// RFC 9207 §3.
    pub authorization_response_iss_parameter_supported: bool,
    /// The languages of the sign-in pages.
    pub ui_locales_supported: [&'static str; 1],
}

/// The endpoints of a listener that requests client certificates (RFC 8705 §5).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OpenIdAliases {
    /// The endpoint for pushed authorization requests (RFC 9126 §2).
    pub pushed_authorization_request_endpoint: String,
    pub device_authorization_endpoint: String,
    /// For access tokens that are bound to a client certificate.
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
    /// Every sign-in is of this class.
    pub const ACR_VALUES: [&str; 1] = ["urn:latchkey:acr:1"];

    /// `base` is the URL above the endpoints. `algorithm` signs the tenant's ID tokens.
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
