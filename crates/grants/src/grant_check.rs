//! The checks that every grant makes before it uses a code or token up.

use protocol::{Confirmation, ErrorCode, ErrorResponse, GrantType, RefusalReason};
use registry::SenderKeys;

use crate::sender_constraint::{SenderNotProven, confirmation};
use crate::{GrantError, Grantee};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GrantNotAllowed {
    GrantNotRegistered,
    SenderNotProven(SenderNotProven),
}

/// Returns the confirmation that the token will have.
pub(crate) fn check(
    grant_type: GrantType,
    grantee: &Grantee<'_>,
    sender: &SenderKeys,
) -> Result<Option<Confirmation>, GrantNotAllowed> {
    check_grant_type(grant_type, grantee)?;
    confirmation(grantee, sender).map_err(GrantNotAllowed::SenderNotProven)
}

pub(crate) fn check_grant_type(grant_type: GrantType, grantee: &Grantee<'_>) -> Result<(), GrantNotAllowed> {
    let is_registered = grantee.client.grant_types.contains(&grant_type);
    if is_registered { Ok(()) } else { Err(GrantNotAllowed::GrantNotRegistered) }
}

impl From<GrantNotAllowed> for ErrorResponse {
    fn from(refusal: GrantNotAllowed) -> Self {
        let (error, reason, description) = match refusal {
            GrantNotAllowed::SenderNotProven(refusal) => return Self::from(refusal),
            GrantNotAllowed::GrantNotRegistered => (
                ErrorCode::UnauthorizedClient,
                RefusalReason::GrantNotRegistered,
                "The client is not authorized to use this grant type",
            ),
        };
        Self::new(error, reason, description)
    }
}

impl From<GrantNotAllowed> for GrantError {
    fn from(refusal: GrantNotAllowed) -> Self {
        Self::Refused { response: refusal.into(), scope: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_fixtures::{acme, client};

    #[test]
    fn client_without_the_grant_is_refused() {
        let (tenant, client) = (acme(), client("svc"));
        let grantee = Grantee { tenant: &tenant, client: &client };
        for grant_type in [GrantType::AuthorizationCode, GrantType::DeviceCode] {
            let refused = check(grant_type, &grantee, &SenderKeys::default());
            assert_eq!(refused, Err(GrantNotAllowed::GrantNotRegistered));
        }
    }
}
