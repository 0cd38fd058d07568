//! The codes of the Thunder-compatible API. Latchkey's own begin with LK. Codes about pages, themes and user
//! types never occur: a member without effect is stored and not checked.

use protocol::RefusalReason;

/// A code that programs act on, and its title.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Code(pub(crate) &'static str, pub(crate) &'static str);

impl Code {
    /// The reason for the log of a request that a rule refuses with this code.
    pub(crate) fn reason(&'static self) -> RefusalReason {
        if self == NOT_FOUND {
            RefusalReason::NotFound
        } else if self == NAME_EXISTS || self == CLIENT_ID_EXISTS {
            RefusalReason::Conflict
        } else {
            RefusalReason::InvalidDocument
        }
    }
}

/// No application has this identifier.
pub(crate) const NOT_FOUND: &Code = &Code("APP-1001", "Application not found");
pub(crate) const INVALID_CLIENT_ID: &Code = &Code("APP-1003", "Invalid client ID");
pub(crate) const INVALID_NAME: &Code = &Code("APP-1004", "Invalid application name");
/// `url` is no absolute URI.
pub(crate) const INVALID_URL: &Code = &Code("APP-1005", "Invalid application URL");
/// `logo_url` is no absolute URI.
pub(crate) const INVALID_LOGO_URL: &Code = &Code("APP-1006", "Invalid logo URL");
/// `auth_flow_id` cannot be a name.
pub(crate) const INVALID_AUTH_FLOW_ID: &Code = &Code("APP-1007", "Invalid auth flow ID");
/// `registration_flow_id` cannot be a name.
pub(crate) const INVALID_REGISTRATION_FLOW_ID: &Code = &Code("APP-1008", "Invalid registration flow ID");
/// `inbound_auth_config` contains something else than one `oauth2`.
pub(crate) const INVALID_INBOUND_AUTH_CONFIG: &Code = &Code("APP-1009", "Invalid inbound auth config");
/// An unknown or absent grant.
pub(crate) const INVALID_GRANT_TYPE: &Code = &Code("APP-1010", "Invalid grant type");
/// An unknown or absent response type.
pub(crate) const INVALID_RESPONSE_TYPE: &Code = &Code("APP-1011", "Invalid response type");
/// A redirect URI is none.
pub(crate) const INVALID_REDIRECT_URI: &Code = &Code("APP-1012", "Invalid redirect URI");
/// An unknown or absent method.
pub(crate) const INVALID_AUTH_METHOD: &Code =
    &Code("APP-1013", "Invalid token endpoint authentication method");
/// `certificate.type` is unknown.
pub(crate) const INVALID_CERTIFICATE_TYPE: &Code = &Code("APP-1014", "Invalid certificate type");
/// `certificate.value` is no JWK set.
pub(crate) const INVALID_CERTIFICATE_VALUE: &Code = &Code("APP-1015", "Invalid certificate value");
/// `certificate.value` is no URI.
pub(crate) const INVALID_JWKS_URI: &Code = &Code("APP-1016", "Invalid JWKS URI");
/// The body is no application.
pub(crate) const INVALID_REQUEST: &Code = &Code("APP-1018", "Invalid request format");
/// Another application has the name.
pub(crate) const NAME_EXISTS: &Code = &Code("APP-1020", "Application already exists");
/// The client identifier is taken, or was.
pub(crate) const CLIENT_ID_EXISTS: &Code = &Code("APP-1021", "Application with client ID already exists");
/// `certificate.value` is not https.
pub(crate) const JWKS_URI_NOT_HTTPS: &Code = &Code("APP-1022", "Invalid JWKS URI scheme");
/// A public client with what only others have.
pub(crate) const INVALID_PUBLIC_CLIENT: &Code = &Code("APP-1023", "Invalid public client configuration");
/// Any other value that `config` may not contain.
pub(crate) const INVALID_OAUTH_CONFIG: &Code = &Code("APP-1024", "Invalid OAuth configuration");
/// The server has a fault.
pub(crate) const INTERNAL: &Code = &Code("APP-5001", "Internal server error");
/// The body of a sign-in is no object.
pub(crate) const INVALID_PAYLOAD: &Code = &Code("FES-1001", "Invalid request payload");
/// A sign-in begins with no known application.
pub(crate) const UNKNOWN_APPLICATION: &Code = &Code("FES-1003", "Invalid request");
/// A sign-in continues that was never begun.
pub(crate) const UNKNOWN_FLOW: &Code = &Code("FES-1004", "Invalid request");
/// An unknown type of flow.
pub(crate) const INVALID_FLOW_TYPE: &Code = &Code("FES-1005", "Invalid request");
/// Users do not register here.
pub(crate) const REGISTRATION_NOT_ALLOWED: &Code = &Code("FES-1006", "Registration not allowed");
/// Users do not recover here.
pub(crate) const RECOVERY_NOT_ALLOWED: &Code = &Code("FES-1009", "Recovery not allowed");
/// No assertion, or one that is not accepted.
pub(crate) const UNAUTHORIZED: &Code = &Code("LK-4010", "Unauthorized");
/// The user lacks a permission.
pub(crate) const FORBIDDEN: &Code = &Code("LK-4030", "Forbidden");
/// Nothing is served at the path.
pub(crate) const NOT_SERVED: &Code = &Code("LK-4040", "Not found");
/// The path has other methods.
pub(crate) const METHOD_NOT_ALLOWED: &Code = &Code("LK-4050", "Method not allowed");
/// The Host header names another host.
pub(crate) const MISDIRECTED: &Code = &Code("LK-4210", "Misdirected request");
/// The tenant has used up its writes.
pub(crate) const TOO_MANY_WRITES: &Code = &Code("LK-4290", "Too many requests");
/// The server cannot answer now.
pub(crate) const UNAVAILABLE: &Code = &Code("LK-5030", "Service unavailable");

/// All codes, for the test of the page that explains them.
#[cfg(test)]
pub(crate) const ALL: [&Code; 35] = [
    NOT_FOUND,
    INVALID_CLIENT_ID,
    INVALID_NAME,
    INVALID_URL,
    INVALID_LOGO_URL,
    INVALID_AUTH_FLOW_ID,
    INVALID_REGISTRATION_FLOW_ID,
    INVALID_INBOUND_AUTH_CONFIG,
    INVALID_GRANT_TYPE,
    INVALID_RESPONSE_TYPE,
    INVALID_REDIRECT_URI,
    INVALID_AUTH_METHOD,
    INVALID_CERTIFICATE_TYPE,
    INVALID_CERTIFICATE_VALUE,
    INVALID_JWKS_URI,
    INVALID_REQUEST,
    NAME_EXISTS,
    CLIENT_ID_EXISTS,
    JWKS_URI_NOT_HTTPS,
    INVALID_PUBLIC_CLIENT,
    INVALID_OAUTH_CONFIG,
    INTERNAL,
    INVALID_PAYLOAD,
    UNKNOWN_APPLICATION,
    UNKNOWN_FLOW,
    INVALID_FLOW_TYPE,
    REGISTRATION_NOT_ALLOWED,
    RECOVERY_NOT_ALLOWED,
    UNAUTHORIZED,
    FORBIDDEN,
    NOT_SERVED,
    METHOD_NOT_ALLOWED,
    MISDIRECTED,
    TOO_MANY_WRITES,
    UNAVAILABLE,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_all_codes_is_complete() {
        let declared =
            include_str!("code.rs").lines().filter(|line| line.starts_with("pub(crate) const ")).count();
        assert_eq!(ALL.len(), declared - 1);
    }
}
