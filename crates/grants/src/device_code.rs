//! The device grant: a device gets a code (RFC 8628 §3.1, §3.2). Once a person has allowed the
//! request, the device exchanges the code for tokens (§3.4, §3.5).

use protocol::{
    AuthorizationError, AuthorizationErrorCode, ClientAuthentication, ErrorCode, ErrorResponse, Form,
    GrantType, RefusalReason, ResourceIndicator, Scope,
};
use registry::ClientId;
use serde::Serialize;
use values::{Secret, Timestamp};

use crate::authorization::check_permissions;
use crate::grant_check::check_grant_type;
use crate::{DeviceCode, GrantError, Granted, Grantee, OneTime};

#[derive(Debug)]
pub struct DeviceAuthorizationRequest {
    scope: Option<Scope>,
    resources: Vec<ResourceIndicator>,
}

impl DeviceAuthorizationRequest {
    /// # Errors The errors of [`TokenRequest::parse`](crate::TokenRequest::parse).
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

    /// Returns what the person is asked to grant.
    ///
    /// # Errors `unauthorized_client`, `invalid_scope`, `invalid_target`.
    pub fn check(&self, grantee: &Grantee<'_>) -> Result<Granted, ErrorResponse> {
        check_grant_type(GrantType::DeviceCode, grantee)?;
        check_permissions(grantee, self.scope.as_ref(), &self.resources).map_err(refused)?;
        Ok(Granted::requested(self.scope.as_ref(), &self.resources, grantee.client))
    }
}

/// Translates an error of the authorization endpoint into an error for the device.
fn refused(AuthorizationError { error, description }: AuthorizationError) -> ErrorResponse {
    let (error, reason) = match error {
        AuthorizationErrorCode::InvalidScope => (ErrorCode::InvalidScope, RefusalReason::ScopeNotRegistered),
        _ => (ErrorCode::InvalidTarget, RefusalReason::ResourceNotRegistered),
    };
    ErrorResponse::new(error, reason, description)
}

#[derive(Debug)]
pub struct DeviceAuthorizationResponse {
    pub device_code: Secret,
    pub user_code: String,
    pub verification_uri: String,
    /// Seconds.
    pub expires_in: u64,
    /// Minimum seconds between two polls.
    pub interval: u64,
}

impl DeviceAuthorizationResponse {
    /// # Errors The errors of the JSON library.
    pub fn to_json(&self) -> Result<Vec<u8>, serde_json::Error> {
        #[derive(Serialize)]
        struct DeviceMembers<'a> {
            device_code: &'a str,
            user_code: &'a str,
            verification_uri: &'a str,
            verification_uri_complete: String,
            expires_in: u64,
            interval: u64,
        }
        let Self { device_code, user_code, verification_uri, expires_in, interval } = self;
        serde_json::to_vec(&DeviceMembers {
            device_code: device_code.expose(),
            user_code,
            verification_uri,
            verification_uri_complete: format!("{verification_uri}?user_code={user_code}"),
            expires_in: *expires_in,
            interval: *interval,
        })
    }
}

#[derive(Debug)]
pub struct DeviceCodeRequest {
    pub(crate) device_code: Secret,
}

impl DeviceCodeRequest {
    /// # Errors `invalid_request` when the code is missing or repeated, or when `audience` is
    /// present.
    pub(crate) fn take(form: &mut Form<'_>) -> Result<Self, ErrorResponse> {
        form.refuse_audience()?;
        Ok(Self { device_code: form.require_secret("device_code")? })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DeviceCodeError {
    SlowDown,
    AuthorizationPending,
    AccessDenied,
    /// The person did not decide in time, or the device did not redeem the code in time.
    ExpiredToken,
    /// The code is unknown, already used, or was issued to another client; or the person may no
    /// longer sign in. The caller gets the same answer for all of these reasons.
    Code,
}

/// Returns the code if this client may redeem it now.
pub(crate) fn decide<'a>(
    code: Option<&'a OneTime<DeviceCode>>,
    client: &ClientId,
    now: Timestamp,
) -> Result<&'a OneTime<DeviceCode>, DeviceCodeError> {
    let code = code.filter(|code| code.client == *client && code.used_at.is_none());
    let code = code.ok_or(DeviceCodeError::Code)?;
    if code.decided_at.is_some() && code.account.is_none() {
        return Err(DeviceCodeError::AccessDenied);
    }
    if now >= code.valid_until {
        return Err(DeviceCodeError::ExpiredToken);
    }
    if code.account.is_none() { Err(DeviceCodeError::AuthorizationPending) } else { Ok(code) }
}

impl From<DeviceCodeError> for ErrorResponse {
    fn from(refusal: DeviceCodeError) -> Self {
        use {DeviceCodeError as Error, ErrorCode as Code, RefusalReason as Reason};
        let (error, reason, description) = match refusal {
            Error::SlowDown => {
                (Code::SlowDown, Reason::DevicePollsTooOften, "Wait 5 more seconds between requests")
            }
            Error::AuthorizationPending => {
                (Code::AuthorizationPending, Reason::DevicePending, "The person has not decided yet")
            }
            Error::AccessDenied => {
                (Code::AccessDenied, Reason::DeviceRefused, "The person has denied the request")
            }
            Error::ExpiredToken => {
                (Code::ExpiredToken, Reason::DeviceCodeExpired, "The device code has expired")
            }
            Error::Code => (Code::InvalidGrant, Reason::DeviceCodeNotValid, "The device code is not valid"),
        };
        Self::new(error, reason, description)
    }
}

impl From<DeviceCodeError> for GrantError {
    fn from(refusal: DeviceCodeError) -> Self {
        Self::Refused { response: refusal.into(), scope: None }
    }
}

#[cfg(test)]
mod tests {
    use accounts::AccountId;
    use registry::Client;

    use super::*;
    use crate::OneTimeKey;
    use crate::test_fixtures::{ADA, acme, web_client};

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    /// `account` is `None` for a refusal.
    fn code(decided_at: Option<u64>, account: Option<&str>) -> OneTime<DeviceCode> {
        let content = DeviceCode {
            user_digest: [2; 32],
            granted: Granted::default(),
            requested_from: "192.0.2.1".to_owned(),
            created_at: at(1_000),
            decided_at: decided_at.map(at),
            account: account.map(|id| id.parse().unwrap()),
        };
        let key = OneTimeKey { slot: 1, digest: [1; 32] };
        OneTime::new(&acme().id, &"tv".parse().unwrap(), key, content, at(1_000))
    }

    #[track_caller]
    fn check(code: &OneTime<DeviceCode>, client: &str, now: u64, expected: Result<&str, DeviceCodeError>) {
        let client = client.parse().unwrap();
        let decided = decide(Some(code), &client, at(now));
        assert_eq!(decided.map(|code| code.account.as_ref().map_or("", AccountId::as_str)), expected);
    }

    // [devices §3.4]
    #[test]
    fn device_gets_tokens_once_after_timely_approval() {
        use DeviceCodeError::{AccessDenied, AuthorizationPending, Code, ExpiredToken};
        let waiting = code(None, None);
        check(&waiting, "tv", 1_599, Err(AuthorizationPending));
        check(&waiting, "tv", 1_600, Err(ExpiredToken));
        check(&waiting, "radio", 1_001, Err(Code));
        let refused = code(Some(1_100), None);
        check(&refused, "tv", 1_101, Err(AccessDenied));
        check(&refused, "tv", 2_000, Err(AccessDenied));
        check(&refused, "radio", 1_101, Err(Code));
        let allowed = code(Some(1_100), Some(ADA));
        check(&allowed, "tv", 1_599, Ok(ADA));
        check(&allowed, "tv", 1_600, Err(ExpiredToken));
        check(&allowed, "radio", 1_101, Err(Code));
        check(&OneTime { used_at: Some(at(1_102)), ..allowed }, "tv", 1_103, Err(Code));
        assert_eq!(decide(None, &"tv".parse().unwrap(), at(1)), Err(Code));
    }

    #[test]
    fn device_code_must_appear_exactly_once() {
        let take = |body: &str| DeviceCodeRequest::take(&mut Form::parse(body.as_bytes()).unwrap());
        assert_eq!(take("device_code=c").unwrap().device_code.expose(), "c");
        for body in ["", "device_code=", "device_code=c&device_code=d"] {
            assert_eq!(take(body).unwrap_err().error, ErrorCode::InvalidRequest, "{body}");
        }
    }

    // [devices §3.5]: `authorization_pending`, `slow_down`, `access_denied`, `expired_token`
    #[test]
    fn each_refusal_has_its_registered_code() {
        use DeviceCodeError::{AccessDenied, AuthorizationPending, Code, ExpiredToken, SlowDown};
        for (refusal, expected) in [
            (SlowDown, "slow_down"),
            (AuthorizationPending, "authorization_pending"),
            (AccessDenied, "access_denied"),
            (ExpiredToken, "expired_token"),
            (Code, "invalid_grant"),
        ] {
            assert_eq!(ErrorResponse::from(refusal).error.as_str(), expected);
        }
    }

    fn check_request(client: &Client, body: &str) -> Result<Granted, (ErrorCode, RefusalReason)> {
        let (_, request) =
            DeviceAuthorizationRequest::parse(None, format!("client_id=tv&{body}").as_bytes()).unwrap();
        let checked = request.check(&Grantee { tenant: &acme(), client });
        checked.map_err(|refused| (refused.error, refused.reason))
    }

    #[test]
    fn device_may_request_only_registered_scopes_and_resources() {
        let tv = Client { grant_types: vec![GrantType::DeviceCode], ..web_client("tv") };
        let granted = check_request(&tv, "scope=openid+read&resource=https://orders.example").unwrap();
        assert_eq!(granted.scope.as_deref(), Some("openid read"));
        assert_eq!(granted.resources, ["https://orders.example"]);
        let granted = check_request(&tv, "resource=https://orders.example/").unwrap();
        assert_eq!(granted.resources, ["https://orders.example"]);
        let granted =
            check_request(&tv, "audience=https://orders.example&resource=https://reports.example").unwrap();
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
            assert_eq!(check_request(&tv, body), Err((error, reason)), "{body}");
        }
        let web = web_client("web");
        let refused = (ErrorCode::UnauthorizedClient, RefusalReason::GrantNotRegistered);
        assert_eq!(check_request(&web, "scope=openid"), Err(refused));
    }

    // [devices §3.1]
    #[test]
    fn request_needs_client_id_and_unique_parameters() {
        let parse = |body: &str| {
            DeviceAuthorizationRequest::parse(None, body.as_bytes()).map_err(|refused| refused.error)
        };
        assert_eq!(parse("scope=openid").unwrap_err(), ErrorCode::InvalidClient);
        assert_eq!(parse("client_id=tv&scope=a&scope=b").unwrap_err(), ErrorCode::InvalidRequest);
        assert_eq!(parse("client_id=tv&scope=%22").unwrap_err(), ErrorCode::InvalidScope);
    }

    // [devices §3.2]: The answer has `device_code`, `user_code`, `verification_uri`, `expires_in`; here also
    //   `verification_uri_complete` and `interval`
    #[test]
    fn response_has_documented_members_and_debug_hides_code() {
        let response = DeviceAuthorizationResponse {
            device_code: Secret::new("GmRhmhcxhwAzkoEqiMEg_DnyEysNkuNhszIySk9eS".to_owned()),
            user_code: "WDJB-MJHT".to_owned(),
            verification_uri: "https://id.example/device".to_owned(),
            expires_in: 600,
            interval: 5,
        };
        let json = String::from_utf8(response.to_json().unwrap()).unwrap();
        let expected = concat!(
            r#"{"device_code":"GmRhmhcxhwAzkoEqiMEg_DnyEysNkuNhszIySk9eS","user_code":"WDJB-MJHT","#,
            r#""verification_uri":"https://id.example/device","#,
            r#""verification_uri_complete":"https://id.example/device?user_code=WDJB-MJHT","expires_in":600,"interval":5}"#
        );
        assert_eq!(json, expected);
        assert!(!format!("{response:?}").contains("GmRh"));
    }
}
