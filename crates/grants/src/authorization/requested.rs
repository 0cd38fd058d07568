//! Checks what a client may request of a person. The redirect URI is already verified, so errors go
//! to the client.

use protocol::{
    AuthorizationError, AuthorizationErrorCode, AuthorizationRequest, OpenIdMetadata, ResourceIndicator,
    Scope, ScopeToken,
};

use super::Granted;
use crate::Grantee;
use crate::client_credentials::{self, ScopeFit};

/// Returns what the person is asked to grant. A scope is granted whole or refused.
///
/// # Errors An error for the client.
pub fn check_request(
    grantee: &Grantee<'_>,
    request: &AuthorizationRequest,
    is_pushed: bool,
) -> Result<Granted, AuthorizationError> {
    use AuthorizationErrorCode::{InvalidRequest, UnmetAuthenticationRequirements};
    let Grantee { client, .. } = grantee;
    if client.code_flow.require_par && !is_pushed {
        return Err(AuthorizationError::new(
            InvalidRequest,
            "The client must push its authorization requests",
        ));
    }
    if request.code_challenge.is_none() && (client.code_flow.require_pkce || client.is_public()) {
        return Err(AuthorizationError::new(InvalidRequest, "Missing code_challenge parameter"));
    }
    if let Some(demanded) = request.claims.demanded_acr()
        && !demanded.iter().any(|acr| OpenIdMetadata::ACR_VALUES.contains(acr))
    {
        let description = "This server cannot authenticate anyone with the requested value of the claim acr";
        return Err(AuthorizationError::new(UnmetAuthenticationRequirements, description));
    }
    check_permissions(grantee, request.scope.as_ref(), &request.resources)?;
    Ok(Granted::new(request, client))
}

/// The checks that the authorization endpoint and the device grant share.
///
/// # Errors An error for the client.
pub(crate) fn check_permissions(
    grantee: &Grantee<'_>,
    scope: Option<&Scope>,
    resources: &[ResourceIndicator],
) -> Result<(), AuthorizationError> {
    use AuthorizationErrorCode::{InvalidScope, InvalidTarget};
    let client = grantee.client;
    // A person's token can never administer the platform.
    for resource in resources {
        if client.resource(resource).is_none() || client_credentials::is_admin_audience(resource.as_str()) {
            let description = "The requested resource is not allowed for this client";
            return Err(AuthorizationError::new(InvalidTarget, description));
        }
    }
    let fit = ScopeFit { resources, grantee, is_admin: false };
    for token in scope.into_iter().flat_map(Scope::iter) {
        let is_of_person = ScopeToken::OF_PEOPLE.contains(&token.as_str());
        let is_registered = client.scope.contains(token);
        if !(is_registered && (is_of_person || fit.refusal(token).is_none())) {
            // Scope tokens are printable ASCII, so they can be part of a description.
            let description = format!("The scope {} is not allowed for this client", token.as_str());
            return Err(AuthorizationError::new(InvalidScope, description));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use AuthorizationErrorCode::{InvalidRequest, InvalidScope, InvalidTarget};
    use protocol::{ClaimsRequest, ClientAuthenticationMethod, CodeChallenge, GrantType, ResourceIndicator};
    use registry::Client;

    use super::*;
    use crate::test_fixtures::{acme, web_client};

    fn check(
        client: &Client,
        scope: &str,
        resources: &[&str],
        challenge: bool,
    ) -> Result<Granted, AuthorizationErrorCode> {
        let request = AuthorizationRequest {
            scope: Some(Scope::parse(scope).unwrap()),
            resources: resources.iter().map(|text| ResourceIndicator::parse(text).unwrap()).collect(),
            code_challenge: challenge.then(|| CodeChallenge::new([1; 32])),
            nonce: Some("n".to_owned()),
            ..AuthorizationRequest::default()
        };
        check_request(&Grantee { tenant: &acme(), client }, &request, false).map_err(|refused| refused.error)
    }

    // [core Core §3.1.2.1 b]: The scope `openid` makes it a request of OpenID Connect; without it there is no
    //   ID token
    // [core Core §3.1.2.1 f]: Scopes that are not understood should be ignored. Here a scope that the client
    //   is not registered for is refused, and named | departs
    #[test]
    fn unregistered_scopes_and_resources_are_refused() {
        let web = web_client("web");
        let granted = check(&web, "openid email read", &["https://orders.example"], true).unwrap();
        assert_eq!(granted.scope.as_deref(), Some("openid email read"));
        assert_eq!(granted.resources, ["https://orders.example"]);
        // The grant has the registered spelling.
        let granted = check(&web, "openid", &["https://Orders.example:443/"], true).unwrap();
        assert_eq!(granted.resources, ["https://orders.example"]);
        for (scope, resources, expected) in [
            ("openid phone", &[] as &[&str], InvalidScope),
            ("openid write", &[], InvalidScope),
            ("openid latchkey:clients", &[], InvalidScope),
            ("openid", &["https://other.example"], InvalidTarget),
            ("openid", &["urn:latchkey:tenant:acme"], InvalidTarget),
        ] {
            assert_eq!(check(&web, scope, resources, true), Err(expected), "{scope} {resources:?}");
        }
    }

    // [core Core §5.5.1.1]: An essential `acr` that cannot be reached is an error:
    //   `unmet_authentication_requirements`
    #[test]
    fn unregistered_claims_are_dropped_and_unreachable_acr_refused() {
        let (tenant, mut client) = (acme(), web_client("web"));
        client.code_flow.require_pkce = false;
        let check = |claims: &str| {
            let claims = ClaimsRequest::parse(claims).unwrap();
            let request = AuthorizationRequest { claims, ..AuthorizationRequest::default() };
            check_request(&Grantee { tenant: &tenant, client: &client }, &request, false)
        };
        // The client is registered for `email`, but not for `phone`.
        let granted = check(
            r#"{"userinfo":{"email":{"essential":true},"phone_number":null,"sub":null,"custom":null},"id_token":{"email_verified":null}}"#,
        );
        let granted = granted.unwrap();
        assert_eq!(granted.userinfo_claims, ["email"]);
        assert_eq!(granted.id_token_claims, ["email_verified"]);
        for (values, expected) in [
            (r#"["urn:latchkey:acr:2","urn:latchkey:acr:1"]"#, None),
            (r#"["urn:latchkey:acr:2"]"#, Some(AuthorizationErrorCode::UnmetAuthenticationRequirements)),
            (r#"["phr"]"#, Some(AuthorizationErrorCode::UnmetAuthenticationRequirements)),
        ] {
            let demanded = format!(r#"{{"id_token":{{"acr":{{"essential":true,"values":{values}}}}}}}"#);
            assert_eq!(check(&demanded).err().map(|refused| refused.error), expected, "{values}");
            assert!(check(&demanded.replace("true", "false")).is_ok(), "a wish");
        }
    }

    // [core RFC 9126 §6]: `require_pushed_authorization_requests` of a client: `require_par`
    // [V10 10.4.13]: 3 | The code grant needs pushed requests | not met | They are served; a client is told
    //   to use them by `require_par`
    #[test]
    fn require_par_refuses_unpushed_requests() {
        let (tenant, mut client) = (acme(), web_client("web"));
        client.code_flow.require_par = true;
        let request = AuthorizationRequest {
            code_challenge: Some(CodeChallenge::new([1; 32])),
            ..AuthorizationRequest::default()
        };
        let check =
            |is_pushed| check_request(&Grantee { tenant: &tenant, client: &client }, &request, is_pushed);
        assert_eq!(check(false).map_err(|refused| refused.error), Err(InvalidRequest));
        assert!(check(true).is_ok());
    }

    // [core Core §11]
    #[test]
    fn offline_access_needs_the_refresh_token_grant() {
        let mut web = web_client("web");
        web.scope = Scope::parse("openid offline_access").unwrap();
        let scope = |client: &Client| check(client, "offline_access openid", &[], true).unwrap().scope;
        assert_eq!(scope(&web).as_deref(), Some("openid"));
        web.grant_types.push(GrantType::RefreshToken);
        assert_eq!(scope(&web).as_deref(), Some("offline_access openid"));
    }

    // [native RFC 7636 §4.4.1]: A required challenge that is absent is `invalid_request`
    // [native RFC 7636 §5]: Clients without PKCE are served. Here only confidential clients that are
    //   registered so: RFC 9700 §2.1.1 demands PKCE of public ones | departs
    // [attacks #6]: PKCE that is left out or weakened | A challenge is required, `plain` refused, and so is a
    //   verifier without a challenge
    // [native RFC 7636 §4.2, §4.6], [rfc9700 §2.1.1], [rfc9700 §4.8]
    #[test]
    fn only_confidential_clients_may_omit_pkce() {
        let web = web_client("web");
        assert_eq!(check(&web, "openid", &[], false), Err(InvalidRequest));
        let mut exempt = web.clone();
        exempt.code_flow.require_pkce = false;
        assert!(check(&exempt, "openid", &[], false).is_ok());
        let public = Client { authentication_method: ClientAuthenticationMethod::None, ..exempt };
        assert_eq!(check(&public, "openid", &[], false), Err(InvalidRequest));
    }
}
