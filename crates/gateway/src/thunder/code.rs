//! The codes of the Thunder-compatible API. Codes of this server start with LK. Codes about pages,
//! themes and user types never occur, because members without effect are not checked.

use protocol::RefusalReason;

/// The code and its title.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Code(pub(crate) &'static str, pub(crate) &'static str);

impl Code {
    /// The reason in the log for a request that is refused with this code.
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

pub(crate) const NOT_FOUND: &Code = &Code("APP-1001", "Application not found");
pub(crate) const INVALID_CLIENT_ID: &Code = &Code("APP-1003", "Invalid client ID");
pub(crate) const INVALID_NAME: &Code = &Code("APP-1004", "Invalid application name");
/// `url` is not an absolute URI.
pub(crate) const INVALID_URL: &Code = &Code("APP-1005", "Invalid application URL");
/// `logo_url` is not an absolute URI.
pub(crate) const INVALID_LOGO_URL: &Code = &Code("APP-1006", "Invalid logo URL");
/// `auth_flow_id` is not a valid name.
pub(crate) const INVALID_AUTH_FLOW_ID: &Code = &Code("APP-1007", "Invalid auth flow ID");
/// `registration_flow_id` is not a valid name.
pub(crate) const INVALID_REGISTRATION_FLOW_ID: &Code = &Code("APP-1008", "Invalid registration flow ID");
/// `inbound_auth_config` must contain exactly one `oauth2`.
pub(crate) const INVALID_INBOUND_AUTH_CONFIG: &Code = &Code("APP-1009", "Invalid inbound auth config");
/// A grant type is unknown or missing.
pub(crate) const INVALID_GRANT_TYPE: &Code = &Code("APP-1010", "Invalid grant type");
/// A response type is unknown or missing.
pub(crate) const INVALID_RESPONSE_TYPE: &Code = &Code("APP-1011", "Invalid response type");
pub(crate) const INVALID_REDIRECT_URI: &Code = &Code("APP-1012", "Invalid redirect URI");
/// The method is unknown or missing.
pub(crate) const INVALID_AUTH_METHOD: &Code =
    &Code("APP-1013", "Invalid token endpoint authentication method");
/// `certificate.type` is unknown.
pub(crate) const INVALID_CERTIFICATE_TYPE: &Code = &Code("APP-1014", "Invalid certificate type");
/// `certificate.value` is not a JWK set.
pub(crate) const INVALID_CERTIFICATE_VALUE: &Code = &Code("APP-1015", "Invalid certificate value");
/// `certificate.value` is not a URI.
pub(crate) const INVALID_JWKS_URI: &Code = &Code("APP-1016", "Invalid JWKS URI");
/// The body is not an application.
pub(crate) const INVALID_REQUEST: &Code = &Code("APP-1018", "Invalid request format");
/// Another application has the name.
pub(crate) const NAME_EXISTS: &Code = &Code("APP-1020", "Application already exists");
/// Another client has, or had, the identifier.
pub(crate) const CLIENT_ID_EXISTS: &Code = &Code("APP-1021", "Application with client ID already exists");
/// `certificate.value` is not an https URI.
pub(crate) const JWKS_URI_NOT_HTTPS: &Code = &Code("APP-1022", "Invalid JWKS URI scheme");
/// A public client has a member that only confidential clients may have.
pub(crate) const INVALID_PUBLIC_CLIENT: &Code = &Code("APP-1023", "Invalid public client configuration");
/// Any other invalid value in `config`.
pub(crate) const INVALID_OAUTH_CONFIG: &Code = &Code("APP-1024", "Invalid OAuth configuration");
pub(crate) const INTERNAL: &Code = &Code("APP-5001", "Internal server error");
/// The body of a sign-in is not an object.
pub(crate) const INVALID_PAYLOAD: &Code = &Code("FES-1001", "Invalid request payload");
/// A sign-in starts with an unknown application.
pub(crate) const UNKNOWN_APPLICATION: &Code = &Code("FES-1003", "Invalid request");
/// A sign-in continues a flow that was never started.
pub(crate) const UNKNOWN_FLOW: &Code = &Code("FES-1004", "Invalid request");
pub(crate) const INVALID_FLOW_TYPE: &Code = &Code("FES-1005", "Invalid request");
pub(crate) const REGISTRATION_NOT_ALLOWED: &Code = &Code("FES-1006", "Registration not allowed");
pub(crate) const RECOVERY_NOT_ALLOWED: &Code = &Code("FES-1009", "Recovery not allowed");
/// The assertion is missing or not accepted.
pub(crate) const UNAUTHORIZED: &Code = &Code("LK-4010", "Unauthorized");
pub(crate) const FORBIDDEN: &Code = &Code("LK-4030", "Forbidden");
pub(crate) const NOT_SERVED: &Code = &Code("LK-4040", "Not found");
pub(crate) const METHOD_NOT_ALLOWED: &Code = &Code("LK-4050", "Method not allowed");
/// The Host header names another host.
pub(crate) const MISDIRECTED: &Code = &Code("LK-4210", "Misdirected request");
pub(crate) const TOO_MANY_WRITES: &Code = &Code("LK-4290", "Too many requests");
/// The store or another part of the server does not answer.
pub(crate) const UNAVAILABLE: &Code = &Code("LK-5030", "Service unavailable");

/// For the test of docs/errors.md.
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
