//! Schemas of forms and responses that no serde type describes.

#![expect(dead_code, reason = "the fields are read by the derive, at compile time")]

use std::collections::BTreeMap;

use administration::documents::UsagePeriod;
use administration::documents::schema::JsonSchema;
use protocol::{ClientAuthenticationMethod, ErrorCode, GrantType, SigningAlgorithm};
use serde_json::{Map, Value, json};
use tenancy::TokenFormat;
use values::skip_serializing_none;

/// RFC 6749 section 4.4.2, RFC 8707 section 2.1. Apart from `resource` and `audience`, a parameter that is
/// sent twice is refused. An unknown parameter is ignored, and an empty parameter counts as absent.
#[derive(JsonSchema)]
pub(super) struct TokenForm {
    /// `client_credentials` for the client itself, `authorization_code` for a person,
    /// `urn:ietf:params:oauth:grant-type:device_code` for a person with a device, and `refresh_token`
    /// for the same person again.
    #[schemars(example = &"client_credentials", extend("enum" = GrantType::SERVED.map(GrantType::as_str)))]
    grant_type: String,
    /// Required unless the Authorization header identifies the client.
    #[schemars(example = &"your-client-id")]
    client_id: Option<String>,
    /// Required unless the Authorization header contains it; never send it in both.
    #[schemars(example = &"your-client-secret", extend("format" = "password"))]
    client_secret: Option<String>,
    /// Space-separated, at most 128; if absent, all registered scopes.
    #[schemars(example = &"api:read api:write")]
    scope: Option<String>,
    /// Where the token will be used: an absolute URI. You can repeat it up to 16 times.
    resource: Option<Vec<String>>,
    /// Like `resource`, but does not have to be a URI; the two count together. Only for `client_credentials`
    /// and `refresh_token`: with a code it is `invalid_request`.
    audience: Option<Vec<String>>,
    /// For `authorization_code`: the code.
    code: Option<Password>,
    /// For `authorization_code`: the redirect URI of the authorization request.
    redirect_uri: Option<String>,
    /// For `authorization_code`: the verifier of the code challenge (RFC 7636 section 4.5).
    code_verifier: Option<Password>,
    /// For `refresh_token`: the token (RFC 6749 section 6).
    refresh_token: Option<Password>,
    /// For the device grant: the device's code (RFC 8628 section 3.4).
    device_code: Option<Password>,
}

/// Leaked credentials.
#[derive(JsonSchema)]
pub(super) struct LeakedSecrets {
    /// At most 100; values that are not secrets or API keys of this server are ignored.
    #[schemars(length(max = 100))]
    secrets: Vec<String>,
}

/// The period of a client's own usage.
#[derive(JsonSchema)]
pub(super) struct UsageForm {
    /// Required unless the Authorization header identifies the client.
    #[schemars(example = &"your-client-id")]
    client_id: Option<String>,
    /// Required unless the Authorization header contains it; never send it in both.
    client_secret: Option<Password>,
    /// From the hour or day of this instant, RFC 3339. Default: the last seven days, or 24 hours.
    since: Option<String>,
    /// Until the end of the hour or day before this instant, RFC 3339. Default: now.
    until: Option<String>,
    /// The length of each period, UTC. Default: day. Both are kept for 35 days.
    #[schemars(extend("enum" = UsagePeriod::NAMES))]
    by: Option<String>,
}

/// RFC 8628 section 3.1.
#[derive(JsonSchema)]
pub(super) struct DeviceAuthorizationForm {
    /// Required unless the Authorization header identifies the client.
    #[schemars(example = &"your-client-id")]
    client_id: Option<String>,
    /// Required unless the Authorization header contains it; never send it in both.
    client_secret: Option<Password>,
    /// Space-separated, at most 128.
    #[schemars(example = &"openid profile")]
    scope: Option<String>,
    /// Where the token will be used: an absolute URI. You can repeat it up to 16 times.
    resource: Option<Vec<String>>,
    /// Like `resource`, but does not have to be a URI; the two count together.
    audience: Option<Vec<String>>,
}

/// RFC 8628 section 3.2.
#[derive(JsonSchema)]
pub(super) struct DeviceAuthorization {
    /// The code with which the device polls the token endpoint.
    device_code: String,
    /// The code that the person enters.
    #[schemars(example = &"WDJB-MJHT")]
    user_code: String,
    verification_uri: String,
    verification_uri_complete: String,
    /// Seconds.
    #[schemars(example = 600)]
    expires_in: u64,
    /// Seconds between two requests to the token endpoint.
    #[schemars(example = 5)]
    interval: u64,
}

/// RFC 6749 section 4.1.1; the parameters of the request by GET.
#[derive(JsonSchema)]
pub(super) struct AuthorizationForm {
    /// `code`.
    response_type: String,
    client_id: String,
    redirect_uri: String,
}

/// RFC 9126 section 2.1: the parameters of the authorization request, and those that authenticate the client.
#[derive(JsonSchema)]
pub(super) struct PushedAuthorizationForm {
    /// `code`.
    response_type: String,
    /// Required unless the Authorization header identifies the client.
    client_id: Option<String>,
    redirect_uri: String,
    /// Required unless the Authorization header contains it; never send it in both.
    client_secret: Option<Password>,
}

/// RFC 9126 section 2.2.
#[derive(JsonSchema)]
pub(super) struct PushedAuthorization {
    /// The reference that the browser sends to the authorization endpoint, together with `client_id`.
    #[schemars(example = &"urn:ietf:params:oauth:request_uri:4bwc4ESC0acc2ltc1LEiSLUQcjTYk2JqUvPUWxjBUGk8")]
    request_uri: String,
    /// Seconds within which the browser must use the reference.
    #[schemars(example = 60)]
    expires_in: u64,
}

/// The fields of a sign-in page.
#[derive(JsonSchema)]
pub(super) struct SignInForm {
    /// The sealed request of the page.
    flow: String,
    user_code: Option<String>,
    identifier: Option<String>,
    password: Option<Password>,
    decision: Option<String>,
}

/// The fields of the account pages.
#[derive(JsonSchema)]
pub(super) struct AccountForm {
    /// The sealed request of the page.
    flow: String,
    identifier: Option<String>,
    /// The current password.
    password: Option<Password>,
    /// The new password.
    new_password: Option<Password>,
    /// `sign_out`, `sign_out_everywhere`, or `password` for the page that changes the password.
    decision: Option<String>,
    /// The session to end.
    session: Option<String>,
    /// The client whose access to revoke.
    client: Option<String>,
}

/// The fields of the page that a password link opens.
#[derive(JsonSchema)]
pub(super) struct SetPasswordForm {
    /// The sealed request of the page.
    flow: String,
    /// The fragment of the link.
    code: String,
    new_password: Password,
}

/// The fields of the pages that reset a forgotten password. Each page uses some of them.
#[derive(JsonSchema)]
pub(super) struct RecoveryForm {
    /// The sealed request of the page.
    flow: String,
    /// The email address or the user name.
    identifier: Option<String>,
    /// The mailed code.
    code: Option<String>,
    new_password: Option<Password>,
    /// Another choice than the form's own: `again` or `back`.
    decision: Option<String>,
}

/// The fields of the page that confirms or restores an address.
#[derive(JsonSchema)]
pub(super) struct VerificationForm {
    /// The sealed request of the page.
    flow: String,
    /// The fragment of the link.
    code: String,
}

/// RFC 6750 section 2.2.
#[derive(JsonSchema)]
pub(super) struct UserinfoForm {
    /// Required unless the Authorization header contains it.
    access_token: Option<Password>,
}

/// RP-Initiated Logout 1.0 section 2.
#[derive(JsonSchema)]
pub(super) struct LogoutForm {
    id_token_hint: Option<String>,
    client_id: Option<String>,
    post_logout_redirect_uri: Option<String>,
    state: Option<String>,
    /// The sealed request of the page that asks the person.
    flow: Option<String>,
    decision: Option<String>,
}

/// OpenID Connect Core section 5.1: the claims that the scope requests, if the account has them.
#[derive(JsonSchema)]
pub(super) struct Userinfo {
    /// The person's identifier: always the same for one account.
    #[schemars(example = &"usr_a3x7k2m5q6t4w2z3b5c6d7e2fa")]
    sub: String,
    #[serde(flatten)]
    claims: BTreeMap<String, Value>,
}

/// RFC 6749 section 5.1.
#[skip_serializing_none]
#[derive(JsonSchema)]
pub(super) struct Token {
    /// A signed JWT.
    access_token: String,
    /// `DPoP` if the token is bound to the key of the request's proof (RFC 9449 section 5).
    #[schemars(example = &"Bearer", extend("enum" = ["Bearer", "DPoP"]))]
    token_type: String,
    /// Seconds.
    #[schemars(example = 3600)]
    expires_in: u64,
    /// The granted scope.
    #[schemars(example = &"api:read api:write")]
    scope: Option<String>,
    /// An ID token for `authorization_code` with the scope `openid` (OpenID Connect Core section 3.1.3.3).
    id_token: Option<String>,
    /// Gets the person's next tokens, if the client is registered for `refresh_token`; use the newest.
    refresh_token: Option<String>,
}

/// RFC 7662 section 2.1, RFC 7009 section 2.1.
#[derive(JsonSchema)]
pub(super) struct IntrospectionForm {
    /// The access token or refresh token.
    token: String,
    /// Ignored: the type is visible from the token.
    token_type_hint: Option<String>,
    /// Required unless the Authorization header identifies the client.
    client_id: Option<String>,
    /// Required unless the Authorization header contains it; never send it in both.
    client_secret: Option<Password>,
}

/// RFC 7662 section 2.2. If `active` is false, there are no other members.
#[skip_serializing_none]
#[derive(JsonSchema)]
pub(super) struct Introspection {
    /// Whether the token is valid and the caller is allowed to know about it.
    active: bool,
    scope: Option<String>,
    client_id: Option<String>,
    token_type: Option<String>,
    /// Seconds since 1970-01-01T00:00:00Z.
    exp: Option<u64>,
    /// Seconds since 1970-01-01T00:00:00Z.
    iat: Option<u64>,
    /// Seconds since 1970-01-01T00:00:00Z.
    nbf: Option<u64>,
    sub: Option<String>,
    aud: Option<Audience>,
    iss: Option<String>,
    jti: Option<String>,
    cnf: Option<Confirmation>,
    /// The id of the API key, or of the API key for which the token was issued.
    api_key: Option<String>,
    /// For an API key: the client's own id of the customer.
    owner: Option<String>,
    /// For an API key.
    labels: Option<Vec<String>>,
    /// The static claims of client and tenant that the token has.
    #[serde(flatten)]
    claims: Map<String, Value>,
}

/// RFC 7800 section 3.1: the keys that the sender of the token must prove to have.
#[skip_serializing_none]
#[derive(JsonSchema)]
pub(super) struct Confirmation {
    /// RFC 9449 section 6.1.
    jkt: Option<String>,
    /// RFC 8705 section 3.1.
    #[schemars(rename = "x5t#S256")]
    x5t_s256: Option<String>,
}

/// RFC 7519 section 4.1.3: one value as a string, several as an array.
#[derive(JsonSchema)]
#[schemars(untagged)]
pub(super) enum Audience {
    One(String),
    Many(Vec<String>),
}

/// RFC 7517 section 5.
#[derive(JsonSchema)]
pub(super) struct JwkSet {
    keys: Vec<BTreeMap<String, String>>,
}

/// RFC 8414 section 2.
#[skip_serializing_none]
#[derive(JsonSchema)]
pub(super) struct Metadata {
    issuer: String,
    /// Where people sign in; if the tenant does not offer sign-in, this is an error page.
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    scopes_supported: Option<Vec<String>>,
    /// `code`, or empty if the tenant does not offer sign-in.
    response_types_supported: Vec<String>,
    #[schemars(extend("items" = one_of(&GrantType::SERVED.map(GrantType::as_str))))]
    grant_types_supported: Vec<String>,
    #[schemars(extend("items" = one_of(&ClientAuthenticationMethod::AT_REVOCATION)))]
    token_endpoint_auth_methods_supported: Vec<String>,
    #[schemars(extend("items" = one_of(&SigningAlgorithm::ALL.map(SigningAlgorithm::as_str))))]
    token_endpoint_auth_signing_alg_values_supported: Vec<String>,
    #[schemars(extend("items" = one_of(&SigningAlgorithm::ALL.map(SigningAlgorithm::as_str))))]
    dpop_signing_alg_values_supported: Vec<String>,
    introspection_endpoint: String,
    #[schemars(extend("items" = one_of(&ClientAuthenticationMethod::SERVED)))]
    introspection_endpoint_auth_methods_supported: Vec<String>,
    #[schemars(extend("items" = one_of(&SigningAlgorithm::ALL.map(SigningAlgorithm::as_str))))]
    introspection_endpoint_auth_signing_alg_values_supported: Vec<String>,
    revocation_endpoint: String,
    #[schemars(extend("items" = one_of(&ClientAuthenticationMethod::AT_REVOCATION)))]
    revocation_endpoint_auth_methods_supported: Vec<String>,
    #[schemars(extend("items" = one_of(&SigningAlgorithm::ALL.map(SigningAlgorithm::as_str))))]
    revocation_endpoint_auth_signing_alg_values_supported: Vec<String>,
    /// Latchkey's own: the signed feed of the tenant's revocations.
    revocations_uri: String,
    /// The formats of the tenant's access tokens; absent if all are JWTs. Clients may have their own.
    #[schemars(extend("items" = one_of(&TokenFormat::NAMES)))]
    access_token_formats_supported: Option<Vec<String>>,
    /// Only if a listener reads client certificates (RFC 8705 section 3.3).
    tls_client_certificate_bound_access_tokens: Option<bool>,
    /// The endpoints for clients with certificates (RFC 8705 section 5).
    mtls_endpoint_aliases: Option<EndpointAliases>,
    /// This member and those after it are present only if the tenant offers sign-in (OpenID Connect Discovery
    /// section 3).
    pushed_authorization_request_endpoint: Option<String>,
    require_pushed_authorization_requests: Option<bool>,
    userinfo_endpoint: Option<String>,
    device_authorization_endpoint: Option<String>,
    end_session_endpoint: Option<String>,
    backchannel_logout_supported: Option<bool>,
    backchannel_logout_session_supported: Option<bool>,
    response_modes_supported: Option<Vec<String>>,
    subject_types_supported: Option<Vec<String>>,
    id_token_signing_alg_values_supported: Option<Vec<String>>,
    acr_values_supported: Option<Vec<String>>,
    prompt_values_supported: Option<Vec<String>>,
    claim_types_supported: Option<Vec<String>>,
    claims_supported: Option<Vec<String>>,
    claims_parameter_supported: Option<bool>,
    request_parameter_supported: Option<bool>,
    request_object_signing_alg_values_supported: Option<Vec<String>>,
    request_uri_parameter_supported: Option<bool>,
    code_challenge_methods_supported: Option<Vec<String>>,
    /// Every authorization response names the issuer (RFC 9207 section 3).
    authorization_response_iss_parameter_supported: Option<bool>,
    ui_locales_supported: Option<Vec<String>>,
}

/// RFC 8705 section 5.
#[skip_serializing_none]
#[derive(JsonSchema)]
pub(super) struct EndpointAliases {
    token_endpoint: Option<String>,
    introspection_endpoint: String,
    revocation_endpoint: String,
    /// This member and those after it are present only if the tenant offers sign-in.
    pushed_authorization_request_endpoint: Option<String>,
    device_authorization_endpoint: Option<String>,
    userinfo_endpoint: Option<String>,
}

/// RFC 6749 section 5.2.
#[derive(JsonSchema)]
pub(super) struct Error {
    /// For programs.
    #[schemars(example = &"invalid_client", extend("enum" = ErrorCode::ALL.iter().map(|code| code.as_str()).collect::<Vec<_>>()))]
    error: String,
    /// For people.
    #[schemars(example = &"Client authentication failed")]
    error_description: String,
}

// A text that no screen should show. A sentence of documentation here would be one of the OpenAPI document.
#[derive(JsonSchema)]
#[schemars(inline, extend("format" = "password"))]
struct Password(String);

/// A string with one of these values.
fn one_of(values: &[&str]) -> Value {
    json!({ "type": "string", "enum": values })
}
