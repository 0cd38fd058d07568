//! The checks of a client's assertion one by one, offline (RFC 7523 §3). They use the functions that check a
//! request, and the facts that are known about the client and its tenant.

use keys::PublicKeys;
use protocol::AssertionKind;
use tenancy::AssertionPolicy;
use values::Timestamp;

use crate::AssertionCheck;
use crate::assertion::client_assertion::{AcceptedClaims, AssertionClaims, client_of, read};

/// The known facts about the client that signed an assertion, and about its tenant.
#[derive(Clone, Copy, Default)]
pub struct KnownClient<'a> {
    /// The `client_id` of the request.
    pub client_id: Option<&'a str>,
    /// The names of the tenant: its issuer, and its token endpoint.
    pub audiences: &'a [String],
    /// The client's key set.
    pub keys: Option<&'a PublicKeys>,
}

impl KnownClient<'_> {
    /// Inspects an assertion as if a request presented it now, under the default policy of a tenant. Returns
    /// the thumbprint of the key that signed it, if the keys are known.
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
        // If no name of the tenant is known, each `aud` of the assertion is accepted.
        let audiences = match self.audiences {
            [] => claims.audiences().map(str::to_owned).collect(),
            audiences => audiences.to_vec(),
        };
        let accepted = AcceptedClaims { audiences, policy: AssertionPolicy::default(), restored_at: None };
        claims.check(&client, &accepted, now)?;
        Ok(key)
    }
}
