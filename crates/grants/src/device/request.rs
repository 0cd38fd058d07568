//! A device authorization request (RFC 8628 §3.1), and what the client may request.

use protocol::{
    AuthorizationError, AuthorizationErrorCode, ClientAuthentication, ErrorCode, ErrorResponse, Form,
    GrantType, RefusalReason, ResourceIndicator, Scope,
};

use crate::authorization::check_permissions;
use crate::grant_check::check_grant_type;
use crate::{Granted, Grantee};

/// The scope and resource that a device requests of the person who decides later.
#[derive(Debug)]
pub struct DeviceAuthorizationRequest {
    scope: Option<Scope>,
    resources: Vec<ResourceIndicator>,
}

impl DeviceAuthorizationRequest {
    /// Reads the `Authorization` header and the body.
    ///
    /// # Errors
    /// As [`TokenRequest::parse`](crate::TokenRequest::parse).
    pub fn parse(
        authorization: Option<&[u8]>,
        body: &[u8],
    ) -> Result<(ClientAuthentication, Self), ErrorResponse> {
        let mut form = Form::parse(body)?;
        let credentials = ClientAuthentication::take(authorization, &mut form)?;
        let request = Self { scope: form.take_scope()?, resources: form.take_resources()? };
        form.finish()?;
        Ok((credentials, request))
    }

    /// Checks the request, and returns what a person can grant by it.
    ///
    /// # Errors
    /// `unauthorized_client`, `invalid_scope`, `invalid_target`.
    pub fn check(&self, grantee: &Grantee<'_>) -> Result<Granted, ErrorResponse> {
        check_grant_type(GrantType::DeviceCode, grantee)?;
        check_permissions(grantee, self.scope.as_ref(), &self.resources).map_err(refused)?;
        Ok(Granted::requested(self.scope.as_ref(), &self.resources, grantee.client))
    }
}

/// Turns a refusal of the authorization endpoint into the form of an endpoint for clients.
fn refused(AuthorizationError { error, description }: AuthorizationError) -> ErrorResponse {
    let (error, reason) = match error {
        AuthorizationErrorCode::InvalidScope => (ErrorCode::InvalidScope, RefusalReason::ScopeNotRegistered),
        AuthorizationErrorCode::InvalidTarget => {
            (ErrorCode::InvalidTarget, RefusalReason::ResourceNotRegistered)
        }
        _ => (ErrorCode::UnsupportedGrantType, RefusalReason::FormatNotServed),
    };
    ErrorResponse::new(error, reason, description)
}

#[cfg(test)]
mod tests {
    use registry::Client;

    use super::*;
    use crate::test_fixtures::{acme, web_client};

    fn check(client: &Client, body: &str) -> Result<Granted, (ErrorCode, RefusalReason)> {
        let (_, request) =
            DeviceAuthorizationRequest::parse(None, format!("client_id=tv&{body}").as_bytes()).unwrap();
        let checked = request.check(&Grantee { tenant: &acme(), client });
        checked.map_err(|refused| (refused.error, refused.reason))
    }

    #[test]
    fn a_device_requests_what_its_client_is_registered_for() {
        let tv = Client { grant_types: vec![GrantType::DeviceCode], ..web_client("tv") };
        let granted = check(&tv, "scope=openid+read&resource=https://orders.example").unwrap();
        assert_eq!(granted.scope.as_deref(), Some("openid read"));
        assert_eq!(granted.resources, ["https://orders.example"]);
        let granted = check(&tv, "audience=https://orders.example&resource=https://reports.example").unwrap();
        assert_eq!(granted.resources, ["https://orders.example", "https://reports.example"]);
        for (body, error, reason) in [
            ("audience=other", ErrorCode::InvalidTarget, RefusalReason::ResourceNotRegistered),
            ("scope=openid+phone", ErrorCode::InvalidScope, RefusalReason::ScopeNotRegistered),
            ("scope=latchkey:clients", ErrorCode::InvalidScope, RefusalReason::ScopeNotRegistered),
            (
                "resource=https://other.example",
                ErrorCode::InvalidTarget,
                RefusalReason::ResourceNotRegistered,
            ),
        ] {
            assert_eq!(check(&tv, body), Err((error, reason)), "{body}");
        }
        let web = web_client("web");
        let refused = (ErrorCode::UnauthorizedClient, RefusalReason::GrantNotRegistered);
        assert_eq!(check(&web, "scope=openid"), Err(refused));
    }

    // [devices §3.1]
    #[test]
    fn a_request_names_its_client_and_repeats_nothing() {
        let parse = |body: &str| {
            DeviceAuthorizationRequest::parse(None, body.as_bytes()).map_err(|refused| refused.error)
        };
        assert_eq!(parse("scope=openid").unwrap_err(), ErrorCode::InvalidClient);
        assert_eq!(parse("client_id=tv&scope=a&scope=b").unwrap_err(), ErrorCode::InvalidRequest);
        assert_eq!(parse("client_id=tv&scope=%22").unwrap_err(), ErrorCode::InvalidScope);
    }
}
