//! May the bearer of this token use this resource? (RFC 6750 §3.1, RFC 9068 §4)

use keys::{Refused as _, TokenError};
use protocol::{ErrorCode, ErrorResponse, RefusalReason, ScopeToken};

use crate::{AccessTokenClaims, ConstraintError};

/// A resource and the claims that it requires.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceRequirement {
    /// The name of the tenant that must have issued the token, whatever its `aud` says.
    pub tenant: String,
    /// The required member of `aud`.
    pub audience: String,
    /// The required member of `scope`.
    pub required_scope: Option<ScopeToken>,
}

/// Reasons to refuse the bearer.
#[derive(Debug, thiserror::Error)]
pub enum BearerError {
    /// The tenant did not issue the token, or the token is not valid any more or not for this resource.
    #[error("the token is not valid here")]
    Token(#[from] TokenError),
    /// The token is valid, but the request does not prove the key that it is bound to.
    #[error(transparent)]
    Sender(#[from] ConstraintError),
    /// The tenant is suspended, so its tokens are refused.
    #[error("the tenant of the token is suspended")]
    TenantSuspended,
    /// The token is valid but lacks the scope.
    #[error("the token lacks a scope")]
    InsufficientScope(ScopeToken),
}

/// Decides by the scope of a token that was verified for the resource's tenant and audience.
pub(crate) fn decide(
    claims: &AccessTokenClaims<'_>,
    resource: &ResourceRequirement,
) -> Result<(), BearerError> {
    let Some(required) = &resource.required_scope else { return Ok(()) };
    let mut held = claims.scope.as_deref().unwrap_or_default().split(' ');
    let is_held = held.any(|token| token == required.as_str());
    if is_held { Ok(()) } else { Err(BearerError::InsufficientScope(required.clone())) }
}

impl From<&BearerError> for ErrorResponse {
    fn from(refusal: &BearerError) -> Self {
        use {ErrorCode as Code, RefusalReason as Reason};
        let (error, reason, description) = match refusal {
            BearerError::Token(error) => (Code::InvalidToken, error.reason(), error.description()),
            BearerError::Sender(error) => (Code::InvalidToken, error.reason(), error.description()),
            BearerError::TenantSuspended => {
                (Code::InvalidToken, Reason::TenantSuspended, "Token issuer is not active")
            }
            BearerError::InsufficientScope(_) => {
                (Code::InsufficientScope, Reason::InsufficientScope, "Token does not have the required scope")
            }
        };
        Self::new(error, reason, description)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_fixtures::claims;

    fn check(held: Option<&str>, required: Option<&str>, admitted: bool) {
        let claims = AccessTokenClaims { scope: held.map(str::to_owned), ..claims("svc", "1") };
        let required_scope = required.map(|token| ScopeToken::parse(token).unwrap());
        let resource =
            ResourceRequirement { tenant: "acme".to_owned(), audience: "api".to_owned(), required_scope };
        assert_eq!(decide(&claims, &resource).is_ok(), admitted, "{held:?} {required:?}");
    }

    // [V10 10.3.2]: 2 | Its decisions follow the token's claims | Scope of the token and of the client today,
    //   subject, issuer
    // [bearer RFC 6750 §3.1 b]
    #[test]
    fn the_required_scope_must_be_held_whole() {
        check(Some("api:read api:write"), Some("api:write"), true);
        check(Some("api:read"), Some("api:write"), false);
        check(Some("api:readonly"), Some("api:read"), false);
        check(None, Some("api:read"), false);
        check(None, None, true);
    }

    // [bearer RFC 6750 §3.1 b]
    #[test]
    fn refusals_have_the_codes_of_bearer_tokens() {
        let scope = BearerError::InsufficientScope(ScopeToken::parse("x").unwrap());
        assert_eq!(ErrorResponse::from(&scope).error, ErrorCode::InsufficientScope);
        for refusal in
            [BearerError::TenantSuspended, TokenError::Expired.into(), TokenError::WrongAudience.into()]
        {
            assert_eq!(ErrorResponse::from(&refusal).error, ErrorCode::InvalidToken, "{refusal}");
        }
    }
}
