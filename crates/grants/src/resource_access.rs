//! May the bearer of this token use this resource? (RFC 6750 §3.1, RFC 9068 §4)

use keys::{Refused as _, TokenError};
use protocol::{ErrorCode, ErrorResponse, RefusalReason, Scope, ScopeToken, TokenType};
use registry::{ClientId, SenderKeys};

use crate::{AccessTokenClaims, ConstraintError, UnconfirmedToken};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceRequirement {
    /// The tenant that must have issued the token.
    pub tenant: String,
    /// Must be in `aud`.
    pub audience: String,
    /// All of its tokens must be in `scope`.
    pub required_scope: Scope,
}

#[derive(Debug, thiserror::Error)]
pub enum BearerError {
    /// Another tenant issued the token, or the token is expired, revoked or for another resource.
    #[error("the token is not valid here")]
    Token(#[from] TokenError),
    /// The token is valid, but the request does not prove the key that the token is bound to.
    #[error(transparent)]
    Sender(#[from] ConstraintError),
    #[error("the token's tenant is suspended")]
    TenantSuspended,
    /// The token is valid but does not have the scope.
    #[error("the token lacks a scope")]
    InsufficientScope(ScopeToken),
}

/// The caller has verified the token for the resource's tenant and audience. This function checks
/// the scope.
pub(crate) fn decide(
    claims: &AccessTokenClaims<'_>,
    resource: &ResourceRequirement,
) -> Result<(), BearerError> {
    let lacking = resource.required_scope.iter().find(|required| !claims.has_scope(required.as_str()));
    lacking.map_or(Ok(()), |lacking| Err(BearerError::InsufficientScope(lacking.clone())))
}

/// Returns the claims for a proxy, which shows the token but not the request that the token came with. A
/// proof of the sender cannot be compared with that request. A token for administration must never reach an
/// API behind a proxy.
///
/// # Errors [`BearerError`] for a token of either kind.
pub fn confirm_forwarded(
    scheme: TokenType,
    token: UnconfirmedToken,
) -> Result<AccessTokenClaims<'static>, BearerError> {
    let unbound = token.confirm(scheme, &SenderKeys::default());
    let claims = unbound.map_err(|_| ConstraintError::BehindProxy)?;
    let is_reserved = claims.aud.iter().any(|audience| audience.starts_with(ClientId::RESERVED_PREFIX));
    if is_reserved { Err(TokenError::WrongAudience.into()) } else { Ok(claims) }
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

    fn check(held: Option<&str>, required: &str, admitted: bool) {
        let claims = AccessTokenClaims { scope: held.map(str::to_owned), ..claims("svc", "1") };
        let required_scope = Scope::parse(required).unwrap();
        let resource =
            ResourceRequirement { tenant: "acme".to_owned(), audience: "api".to_owned(), required_scope };
        assert_eq!(decide(&claims, &resource).is_ok(), admitted, "{held:?} {required:?}");
    }

    // [V10 10.3.2]: 2 | Its decisions follow the token's claims | Scope of the token and of the client today,
    //   subject, issuer
    // [bearer RFC 6750 §3.1 b]
    #[test]
    fn required_scope_must_match_exactly() {
        check(Some("api:read api:write"), "api:write", true);
        check(Some("api:read api:write"), "api:write api:read", true);
        check(Some("api:read"), "api:write", false);
        check(Some("api:read"), "api:read api:write", false);
        check(Some("api:readonly"), "api:read", false);
        check(None, "api:read", false);
        check(None, "", true);
    }

    // [bearer RFC 6750 §3.1 b]
    #[test]
    fn refusals_have_bearer_error_codes() {
        let scope = BearerError::InsufficientScope(ScopeToken::parse("x").unwrap());
        assert_eq!(ErrorResponse::from(&scope).error, ErrorCode::InsufficientScope);
        for refusal in
            [BearerError::TenantSuspended, TokenError::Expired.into(), TokenError::WrongAudience.into()]
        {
            assert_eq!(ErrorResponse::from(&refusal).error, ErrorCode::InvalidToken, "{refusal}");
        }
    }
}
