//! Token requests (RFC 6749 §3.2): one variant for each grant of the token endpoint.
//!
//! Each grant has one file with its request, its rule `decide`, its refusals and its tests. To add
//! a grant, add its file, a variant here, an arm in each `match`, and an entry in
//! [`GrantType::SERVED`].

use std::pin::Pin;

use protocol::{
    ClientAuthentication, ErrorCode, ErrorResponse, Form, GrantType, RefusalReason, ScopeToken, TokenResponse,
};
use registry::SenderKeys;
use uuid::Uuid;
use values::Timestamp;

use crate::authorization_code::AuthorizationCodeRequest;
use crate::client_credentials::{self, ClientCredentialsRequest};
use crate::device_code::DeviceCodeRequest;
use crate::redemption::{self, Issue};
use crate::refresh_token::RefreshTokenRequest;
use crate::{AccessTokenClaims, Engine, GrantError, Grantee, Signed, refreshing};

/// A well-formed token request. Its client has not been authenticated yet.
#[derive(Debug)]
pub enum TokenRequest {
    /// RFC 6749 §4.4.
    ClientCredentials(ClientCredentialsRequest),
    /// RFC 6749 §4.1.3.
    AuthorizationCode(AuthorizationCodeRequest),
    /// RFC 8628 §3.4.
    DeviceCode(DeviceCodeRequest),
    /// RFC 6749 §6.
    RefreshToken(RefreshTokenRequest),
}

impl TokenRequest {
    /// Reads the `Authorization` header and the body. Checks `grant_type` first, so that an
    /// unsupported grant costs no password hash.
    ///
    /// # Errors `invalid_request`, `unsupported_grant_type`, `invalid_client` (if the request names
    /// no client), then the errors of the grant's parameters.
    pub fn parse(
        authorization: Option<&[u8]>,
        body: &[u8],
    ) -> Result<(ClientAuthentication, Self), ErrorResponse> {
        Self::take(authorization, Form::parse(body)?)
    }

    /// # Errors The errors of [`TokenRequest::parse`].
    pub fn take(
        authorization: Option<&[u8]>,
        mut form: Form<'_>,
    ) -> Result<(ClientAuthentication, Self), ErrorResponse> {
        let grant_type = form.require("grant_type")?;
        let parameters = parameters(&grant_type)?;
        let credentials = ClientAuthentication::take(authorization, &mut form)?;
        let request = parameters(&mut form)?;
        form.finish()?;
        Ok((credentials, request))
    }

    /// Whether a public client may send the request. Such a request proves by another parameter,
    /// such as a code, that the client may have the tokens.
    #[must_use]
    pub const fn is_for_public_clients(&self) -> bool {
        match self {
            Self::ClientCredentials(_) => false,
            Self::AuthorizationCode(_) | Self::DeviceCode(_) | Self::RefreshToken(_) => true,
        }
    }

    /// Whether the request, or the code or token that it redeems, names the scope.
    #[must_use]
    pub const fn names_scope(&self) -> bool {
        match self {
            Self::ClientCredentials(request) => request.scope.is_some(),
            Self::RefreshToken(request) => request.scope.is_some(),
            Self::AuthorizationCode(_) | Self::DeviceCode(_) => true,
        }
    }

    /// Returns `None` if the decision needs the store.
    pub(crate) fn decide<'a>(
        &self,
        grantee: &Grantee<'a>,
        sender: &SenderKeys,
        now: Timestamp,
        jti: Uuid,
    ) -> Option<Result<AccessTokenClaims<'a>, GrantRefusal>> {
        match self {
            Self::ClientCredentials(request) => {
                let decided = client_credentials::decide(request, grantee, sender, now, jti);
                Some(decided.map_err(|refusal| GrantRefusal {
                    response: ErrorResponse::from(&refusal),
                    scope: refusal.scope().cloned(),
                }))
            }
            Self::AuthorizationCode(_) | Self::DeviceCode(_) | Self::RefreshToken(_) => None,
        }
    }

    /// Decides the grants that need the store. Boxed, because otherwise the futures of all other
    /// requests would be as large.
    pub(crate) fn redeem<'a>(
        &'a self,
        engine: &'a Engine,
        grantee: &'a Grantee<'_>,
        sender: &'a SenderKeys,
        issue: Issue,
    ) -> Pin<Box<dyn Future<Output = Result<Signed<TokenResponse>, GrantError>> + Send + 'a>> {
        match self {
            Self::ClientCredentials(_) => unreachable!("it is decided without the store"),
            Self::AuthorizationCode(request) => {
                Box::pin(redemption::redeem(engine, grantee, request, sender, issue))
            }
            Self::DeviceCode(request) => {
                let devices = engine.authorizations.devices();
                Box::pin(devices.redeem(engine, grantee, &request.device_code, sender, issue))
            }
            Self::RefreshToken(request) => {
                Box::pin(refreshing::refresh(engine, grantee, request, sender, issue))
            }
        }
    }
}

#[derive(Debug)]
pub(crate) struct GrantRefusal {
    /// For the caller.
    pub(crate) response: ErrorResponse,
    /// For the log.
    pub(crate) scope: Option<ScopeToken>,
}

/// Takes the parameters of a grant out of a form.
type Parameters = fn(&mut Form<'_>) -> Result<TokenRequest, ErrorResponse>;

fn parameters(grant_type: &str) -> Result<Parameters, ErrorResponse> {
    let unsupported = || {
        let (error, reason) = (ErrorCode::UnsupportedGrantType, RefusalReason::GrantNotServed);
        ErrorResponse::new(error, reason, "Unsupported grant type")
    };
    match grant_type.parse().map_err(|_| unsupported())? {
        GrantType::ClientCredentials => {
            Ok(|form| ClientCredentialsRequest::take(form).map(TokenRequest::ClientCredentials))
        }
        GrantType::AuthorizationCode => {
            Ok(|form| AuthorizationCodeRequest::take(form).map(TokenRequest::AuthorizationCode))
        }
        GrantType::DeviceCode => Ok(|form| DeviceCodeRequest::take(form).map(TokenRequest::DeviceCode)),
        GrantType::RefreshToken => Ok(|form| RefreshTokenRequest::take(form).map(TokenRequest::RefreshToken)),
        GrantType::TokenExchange | GrantType::JwtBearer => Err(unsupported()),
    }
}

#[cfg(test)]
mod tests {
    use protocol::ResourceIndicator;

    use super::*;

    fn parse(body: &str) -> String {
        match TokenRequest::parse(None, body.as_bytes()) {
            Ok((_, TokenRequest::ClientCredentials(request))) => {
                let resources: Vec<_> = request.resources.iter().map(ResourceIndicator::as_str).collect();
                format!("client_credentials [{}] {:?}", request.scope.unwrap_or_default(), resources)
            }
            Ok((_, TokenRequest::AuthorizationCode(_))) => "authorization_code".to_owned(),
            Ok((_, TokenRequest::DeviceCode(_))) => "device_code".to_owned(),
            Ok((_, TokenRequest::RefreshToken(_))) => "refresh_token".to_owned(),
            Err(error) => format!("{}: {}", error.error.as_str(), error.error_description),
        }
    }

    // [oauth RFC 6749 §3.2 d]: An unknown parameter is ignored
    // [resources RFC 8707 §2 b]: `resource` may occur several times
    #[test]
    fn client_credentials_request_is_parsed() {
        let body = "grant_type=client_credentials&client_id=a&client_secret=b&scope=x+y&resource=urn:a&resource=urn:b&z=1";
        assert_eq!(parse(body), r#"client_credentials [x y] ["urn:a", "urn:b"]"#);
        assert_eq!(parse("grant_type=client_credentials&client_id=a&scope=+"), "client_credentials [] []");
    }

    // [resources RFC 8707 §2 e]: Ours: `audience`, which clients of other products send, is taken wherever
    //   `resource` is: at the token endpoint, in authorization requests and pushed ones, and by devices. It
    //   need be no URI. Of both together the union is the audience, and each of them must be registered for
    //   the client, or the answer is `invalid_target`
    #[test]
    fn audience_may_be_a_non_uri_resource() {
        let base = "grant_type=client_credentials&client_id=a";
        assert_eq!(parse(&format!("{base}&audience=your-api")), r#"client_credentials [] ["your-api"]"#);
        let both = "&audience=your-api&resource=urn:a&audience=urn:a&resource=urn:b&audience=";
        assert_eq!(
            parse(&format!("{base}{both}")),
            r#"client_credentials [] ["your-api", "urn:a", "urn:b"]"#
        );
        for many in ["&audience=a".repeat(17), format!("&resource=urn:a{}", "&audience=a".repeat(16))] {
            let found = parse(&format!("{base}{many}"));
            assert_eq!(found, "invalid_request: More than 16 resources were requested");
        }
    }

    // [resources RFC 8707 §2.2]: Ours: with an authorization code or a device code `audience` is
    //   `invalid_request`, which names it: the token is for what was requested before
    #[test]
    fn code_redemption_refuses_audience() {
        let refused =
            "invalid_request: The parameter audience is not valid here: send it in the authorization request";
        let code = "grant_type=authorization_code&client_id=a&code=c&redirect_uri=https://a";
        let device = "grant_type=urn:ietf:params:oauth:grant-type:device_code&client_id=a&device_code=c";
        for redemption in [code, device] {
            assert_eq!(parse(&format!("{redemption}&audience=a")), refused);
            assert_eq!(parse(&format!("{redemption}&audience=a&audience=b")), refused);
            assert!(!parse(&format!("{redemption}&audience=")).starts_with("invalid"), "{redemption}");
        }
    }

    // [oauth RFC 6749 §5.2 e]: `unsupported_grant_type` where the server does not serve the grant. The check
    //   precedes client authentication, so that such a request costs no hash
    // [rfc9700 §2.4]: No password grant | It is refused before any credential is checked
    #[test]
    fn grant_type_is_checked_before_the_client() {
        assert_eq!(parse("client_id=a"), "invalid_request: Missing grant_type parameter");
        assert_eq!(parse("grant_type="), "invalid_request: Missing grant_type parameter");
        assert_eq!(parse("grant_type=password"), "unsupported_grant_type: Unsupported grant type");
        assert_eq!(
            parse("grant_type=refresh_token&client_id=a"),
            "invalid_request: Missing refresh_token parameter"
        );
        assert_eq!(parse("grant_type=refresh_token&client_id=a&refresh_token=r"), "refresh_token");
        assert_eq!(
            parse("grant_type=authorization_code&client_id=a&code=c"),
            "invalid_request: Missing redirect_uri parameter"
        );
        let whole = "grant_type=authorization_code&client_id=a&code=c&redirect_uri=https://a";
        assert_eq!(parse(whole), "authorization_code");
        let device = "grant_type=urn:ietf:params:oauth:grant-type:device_code&client_id=a";
        assert_eq!(parse(device), "invalid_request: Missing device_code parameter");
        assert_eq!(parse(&format!("{device}&device_code=c")), "device_code");
        assert_eq!(parse("grant_type=client_credentials"), "invalid_client: Missing client_id parameter");
    }

    #[test]
    fn exactly_the_listed_grant_types_are_served() {
        for grant_type in GrantType::ALL {
            let is_served = parameters(grant_type.as_str()).is_ok();
            assert_eq!(is_served, GrantType::SERVED.contains(&grant_type), "{grant_type}");
        }
    }

    // [oauth RFC 6749 §3.2 e]: A parameter occurs once; `resource` and `audience` may be repeated, as RFC
    //   8707 §2 and RFC 8693 §2.1 say
    #[test]
    fn only_resource_and_audience_may_be_repeated() {
        let base = "grant_type=client_credentials&client_id=a";
        for twice in ["grant_type=client_credentials", "client_id=a", "scope=a&scope=a", "x=1&x=2"] {
            assert!(parse(&format!("{base}&{twice}")).starts_with("invalid_request: "), "{twice}");
        }
    }

    // [oauth RFC 6749 §5.2 i]: `invalid_scope` where a scope is malformed, unknown or more than the client
    //   may have; it is never dropped silently
    // [resources RFC 8707 §2 c]: A resource that is malformed, unknown or not registered for the client is
    //   `invalid_target`
    #[test]
    fn malformed_scopes_and_resources_have_their_own_codes() {
        let base = "grant_type=client_credentials&client_id=a";
        assert_eq!(parse(&format!("{base}&scope=%22")), "invalid_scope: The requested scope is malformed");
        assert!(parse(&format!("{base}&resource=api")).starts_with("invalid_target: "));
    }

    // [oauth RFC 6749 §3.2 c], [found 2]
    #[test]
    fn scopes_and_resources_are_limited() {
        let base = "grant_type=client_credentials&client_id=a";
        let scopes =
            |count: usize| (0..count).map(|number| format!("s{number}")).collect::<Vec<_>>().join("+");
        assert!(parse(&format!("{base}&scope={}", scopes(128))).contains("s127]"));
        for over in [scopes(129), vec!["s"; 129].join("++")] {
            let found = parse(&format!("{base}&scope={over}"));
            assert_eq!(found, "invalid_scope: More than 128 scopes were requested");
        }
        assert!(parse(&format!("{base}{}", "&resource=urn:a".repeat(16))).starts_with("client_credentials"));
        let found = parse(&format!("{base}{}", "&resource=urn:a".repeat(17)));
        assert_eq!(found, "invalid_request: More than 16 resources were requested");
    }
}
