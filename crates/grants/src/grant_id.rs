//! The identifier of a person's grant to a client. All tokens of the grant contain it, so that they
//! can be revoked together.

use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use derive_more::Display;
use secrets::KeyedDigest;
use tenancy::TenantId;
use values::Secret;

const BYTES: usize = 16;

/// Not a secret: nobody can get a token with it.
#[derive(Clone, Copy, Debug, Display, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[display("{}", BASE64URL.encode(_0))]
pub struct GrantId([u8; BYTES]);

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the identifier of a grant is 22 characters of base64url")]
pub struct InvalidGrantId;

impl GrantId {
    #[must_use]
    pub const fn from_bytes(bytes: [u8; BYTES]) -> Self {
        Self(bytes)
    }

    /// Derived from the code, so that a second use of the code finds the grant.
    pub(crate) fn of_code(digests: &KeyedDigest, tenant: &TenantId, code: &Secret) -> Self {
        let digest = digests.of([tenant.as_str(), "grant", code.expose()].map(str::as_bytes));
        let mut bytes = [0; BYTES];
        bytes.copy_from_slice(&digest[..BYTES]);
        Self(bytes)
    }

    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; BYTES] {
        &self.0
    }
}

impl FromStr for GrantId {
    type Err = InvalidGrantId;

    fn from_str(text: &str) -> Result<Self, InvalidGrantId> {
        let bytes = BASE64URL.decode(text).map_err(|_| InvalidGrantId)?;
        bytes.try_into().map(Self).map_err(|_| InvalidGrantId)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grant_id_round_trips_and_refuses_other_forms() {
        let id = GrantId::from_bytes([250; 16]);
        assert_eq!((id.to_string().len(), id.to_string().parse()), (22, Ok(id)));
        for bad in ["", "a", "+vr6-vr6-vr6-vr6-vr6-g==", &"A".repeat(23)] {
            assert_eq!(bad.parse::<GrantId>(), Err(InvalidGrantId), "{bad}");
        }
    }
}
