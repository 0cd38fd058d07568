//! Assertions that a person may administer a tenant. They are signed after a sign-in, and checked with each
//! request.

use keys::{Expectations, KeyError, TokenError};
use protocol::PresentedToken;
use registry::SignedInUser;
use tenancy::Tenant;
use uuid::Uuid;
use values::Timestamp;

use super::{Engine, GrantError, Signed};
use crate::{AdminAssertion, admin_assertion};

impl Engine {
    /// Signs an assertion that a signed-in person has these permissions in the tenant.
    ///
    /// # Errors
    /// When the tenant's keys fail.
    pub async fn sign_assertion(
        &self,
        tenant: &Tenant,
        user: &SignedInUser,
        permissions: &[&str],
        now: Timestamp,
    ) -> Result<Signed<String>, GrantError> {
        let assertion = AdminAssertion::new(tenant, user, permissions, now, Uuid::new_v4());
        let key = self.keys.signing_key(tenant, now).await?;
        Ok(Signed { value: key.sign(admin_assertion::TYP, &assertion)?, algorithm: key.algorithm() })
    }

    /// Checks an assertion: this tenant must have signed it as its main issuer, for its administration only,
    /// with the right `typ`, and it must not have expired. The caller checks the permissions that the person
    /// has now.
    ///
    /// # Errors
    /// [`KeyError`] when the tenant's keys fail; the inner [`TokenError`] when the assertion is refused.
    pub async fn admit_assertion(
        &self,
        tenant: &Tenant,
        token: &PresentedToken,
        now: Timestamp,
    ) -> Result<Result<AdminAssertion, TokenError>, KeyError> {
        let ring = self.keys.ring(tenant, now).await?;
        let audience = tenant.id.admin_audience();
        let expectations = Expectations {
            // No alias: an assertion for administration carries the tenant's main issuer.
            is_issuer: &|iss| tenant.issuer.as_str() == iss,
            accepts_typ: &|typ| typ.is_some_and(|typ| typ.eq_ignore_ascii_case(admin_assertion::TYP)),
            audience: Some(&audience),
            skew: tenant.signing.skew,
        };
        let assertion: AdminAssertion = match keys::verify(token.expose(), &*ring, now, &expectations) {
            Ok(assertion) => assertion,
            Err(error) => return Ok(Err(error)),
        };
        let facts = self.facts(tenant).await?;
        Ok(if facts.revoke_tenant_at(assertion.iat) { Err(TokenError::Revoked) } else { Ok(assertion) })
    }
}
