//! The device grant: a device exchanges its code for tokens, once a person has
//! allowed it (RFC 8628 §3.4, §3.5).

use accounts::AccountId;
use protocol::{ErrorCode, ErrorResponse, Form, RefusalReason, Secret, Timestamp};
use registry::ClientId;

use crate::{DeviceCode, GrantError};

/// The parameters of the grant.
#[derive(Debug)]
pub struct DeviceCodeRequest {
    /// The code.
    pub(crate) device_code: Secret,
}

impl DeviceCodeRequest {
    /// Takes the parameters out of a form.
    ///
    /// # Errors
    /// `invalid_request` when the code is missing or repeated, or with `audience`.
    pub(crate) fn take(form: &mut Form<'_>) -> Result<Self, ErrorResponse> {
        form.refuse_audience()?;
        Ok(Self { device_code: form.require_secret("device_code")? })
    }
}

/// Reasons to refuse the tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DeviceCodeError {
    /// The device polls more often than it may.
    SlowDown,
    /// The person has not decided yet.
    AuthorizationPending,
    /// The person has refused.
    AccessDenied,
    /// The person did not decide in time, or the device did not redeem the code in time.
    ExpiredToken,
    /// The code is unknown, used, or another client's; or its person may not sign in any more. Callers cannot
    /// distinguish the reasons.
    Code,
}

/// Whether this client may redeem the code now. Returns the person who has allowed it.
pub(crate) fn decide<'a>(
    code: Option<&'a DeviceCode>,
    client: &ClientId,
    now: Timestamp,
) -> Result<&'a AccountId, DeviceCodeError> {
    let code = code.filter(|code| code.client == *client && code.redeemed_at.is_none());
    let code = code.ok_or(DeviceCodeError::Code)?;
    if code.decided_at.is_some() && code.account.is_none() {
        return Err(DeviceCodeError::AccessDenied);
    }
    if now >= code.valid_until {
        return Err(DeviceCodeError::ExpiredToken);
    }
    code.account.as_ref().ok_or(DeviceCodeError::AuthorizationPending)
}

impl From<DeviceCodeError> for ErrorResponse {
    fn from(refusal: DeviceCodeError) -> Self {
        use {DeviceCodeError as Error, ErrorCode as Code, RefusalReason as Reason};
        let (error, reason, description) = match refusal {
            Error::SlowDown => {
                (Code::SlowDown, Reason::DevicePollsTooOften, "Wait 5 seconds longer between two requests")
            }
            Error::AuthorizationPending => {
                (Code::AuthorizationPending, Reason::DevicePending, "The person has not decided yet")
            }
            Error::AccessDenied => {
                (Code::AccessDenied, Reason::DeviceRefused, "The person has refused the device")
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
    use super::*;
    use crate::Granted;
    use crate::test_fixtures::{ADA, acme};

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    fn code() -> DeviceCode {
        DeviceCode {
            tenant: acme().id,
            slot: 1,
            digest: [1; 32],
            user_digest: [2; 32],
            client: "tv".parse().unwrap(),
            granted: Granted::default(),
            requested_from: "192.0.2.1".to_owned(),
            created_at: at(1_000),
            valid_until: at(1_600),
            expires_at: at(88_000),
            decided_at: None,
            account: None,
            redeemed_at: None,
        }
    }

    #[track_caller]
    fn check(code: &DeviceCode, client: &str, now: u64, expected: Result<&str, DeviceCodeError>) {
        let client = client.parse().unwrap();
        assert_eq!(decide(Some(code), &client, at(now)).map(AccountId::as_str), expected);
    }

    // [devices §3.4]
    #[test]
    fn a_device_gets_tokens_after_a_person_allowed_it_in_time_and_once() {
        use DeviceCodeError::{AccessDenied, AuthorizationPending, Code, ExpiredToken};
        check(&code(), "tv", 1_599, Err(AuthorizationPending));
        check(&code(), "tv", 1_600, Err(ExpiredToken));
        check(&code(), "radio", 1_001, Err(Code));
        let refused = DeviceCode { decided_at: Some(at(1_100)), ..code() };
        check(&refused, "tv", 1_101, Err(AccessDenied));
        check(&refused, "tv", 2_000, Err(AccessDenied));
        check(&refused, "radio", 1_101, Err(Code));
        let allowed = DeviceCode { account: Some(ADA.parse().unwrap()), ..refused };
        check(&allowed, "tv", 1_599, Ok(ADA));
        check(&allowed, "tv", 1_600, Err(ExpiredToken));
        check(&allowed, "radio", 1_101, Err(Code));
        check(&DeviceCode { redeemed_at: Some(at(1_102)), ..allowed }, "tv", 1_103, Err(Code));
        assert_eq!(decide(None, &"tv".parse().unwrap(), at(1)), Err(Code));
    }

    #[test]
    fn the_code_is_required_once() {
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
}
