//! Assertions that a person may administer a tenant. The server signs one after a sign-in and
//! checks it with each request.

use keys::{Expectations, KeyError, TokenError};
use protocol::PresentedToken;
use registry::SignedInUser;
use tenancy::Tenant;
use uuid::Uuid;
use values::Timestamp;

use super::{Engine, GrantError, Signed};
use crate::{AdminAssertion, admin_assertion};

impl Engine {
    /// # Errors If the tenant's keys fail.
    pub async fn sign_assertion(
        &self,
        tenant: &Tenant,
        user: &SignedInUser,
        permissions: &[&str],
        now: Timestamp,
    ) -> Result<Signed<String>, GrantError> {
        let assertion = AdminAssertion::new(tenant, user, permissions, now, Uuid::new_v4());
        let key = self.keys.signing_key(tenant, now).await?;
        let value = key.sign(admin_assertion::TYP, &assertion)?;
        Ok(Signed { value, algorithm: Some(key.algorithm().into()), groups_left_out: None })
    }

    /// Checks an assertion: signature, the tenant's main issuer, the admin audience, `typ` and
    /// expiry. The caller has to check the person's current permissions.
    ///
    /// # Errors [`KeyError`] when the tenant's keys fail. The inner [`TokenError`] when the
    /// assertion is refused.
    pub async fn admit_assertion(
        &self,
        tenant: &Tenant,
        token: &PresentedToken,
        now: Timestamp,
    ) -> Result<Result<AdminAssertion, TokenError>, KeyError> {
        let ring = self.keys.ring(tenant, now).await?;
        let audience = tenant.id.admin_audience();
        let expectations = Expectations {
            // An alias is not accepted: an assertion has the tenant's main issuer.
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
