//! Runs the checks of a client's assertion one by one, offline (RFC 7523 §3), with the same functions that
//! check a request.

use keys::PublicKeys;
use protocol::AssertionKind;
use tenancy::AssertionPolicy;
use values::Timestamp;

use crate::AssertionCheck;
use crate::assertion::client_assertion::{AcceptedClaims, AssertionClaims, client_of, read};

/// The known facts about the client that signed an assertion, and about its tenant.
#[derive(Clone, Copy, Default)]
pub struct KnownClient<'a> {
    pub client_id: Option<&'a str>,
    /// The accepted values of `aud`: the tenant's issuer and token endpoint.
    pub audiences: &'a [String],
    pub keys: Option<&'a PublicKeys>,
}

impl KnownClient<'_> {
    /// Checks an assertion as if a request presented it now, under a tenant's default policy. Returns the
    /// thumbprint of the key that signed it, if the keys are known.
    ///
    /// # Errors
    /// The check that fails.
    pub fn inspect(&self, assertion: &str, now: Timestamp) -> Result<Option<String>, AssertionCheck> {
        let jwt = read(assertion, AssertionKind::Jwt).map_err(AssertionCheck::of_form)?;
        let client = client_of(&jwt, self.client_id).ok_or(AssertionCheck::Subject)?;
        let (claims, key) = match self.keys {
            Some(keys) => jwt.verify::<AssertionClaims>(keys).map(|(claims, key)| (claims, Some(key))),
            None => jwt.unverified_claims().map(|claims| (claims, None)),
        }
        .map_err(AssertionCheck::of_signature)?;
        // Without known audiences, every `aud` is accepted.
        let audiences = match self.audiences {
            [] => claims.audiences().map(str::to_owned).collect(),
            audiences => audiences.to_vec(),
        };
        let accepted = AcceptedClaims { audiences, policy: AssertionPolicy::default(), restored_at: None };
        claims.check(&client, &accepted, now)?;
        Ok(key)
    }
}
