//! The name of a tenant in paths, rows and cache keys: `[a-z0-9][a-z0-9-]{0,62}`, compared exactly.

use std::str::FromStr;
use std::sync::Arc;

use derive_more::Display;
use serde::Serialize;
use values::{AsStr, DeserializeFromStr};

const PLATFORM_ADMIN_AUDIENCE: &str = "urn:latchkey:admin";
const TENANT_ADMIN_AUDIENCE: &str = "urn:latchkey:tenant:";

/// The id of a tenant. It is well-formed, but the tenant does not have to exist.
#[derive(
    AsStr, Clone, Debug, Display, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, DeserializeFromStr,
)]
pub struct TenantId(Arc<str>);

/// The text cannot be a tenant's id, so no store is read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a tenant id is 1 to 63 characters from a-z, 0-9 and -, and begins with a letter or digit")]
pub struct InvalidTenantId;

impl TenantId {
    /// The reserved tenant of the platform's administrators. It can be neither declared nor the default
    /// tenant.
    pub const PLATFORM: &str = "platform";

    #[must_use]
    pub fn platform() -> Self {
        Self(Self::PLATFORM.into())
    }

    /// Does not normalize case or escapes: two spellings of one tenant would be two cache keys and, sooner or
    /// later, two rows.
    ///
    /// # Errors
    /// [`InvalidTenantId`].
    pub fn parse(text: &str) -> Result<Self, InvalidTenantId> {
        let inner = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
        let fits = (1..=63).contains(&text.len()) && !text.starts_with('-') && text.bytes().all(inner);
        if fits { Ok(Self(text.into())) } else { Err(InvalidTenantId) }
    }

    /// The `aud` of tokens that administer this tenant, or for the reserved tenant the whole platform.
    #[must_use]
    pub fn admin_audience(&self) -> String {
        if self.as_str() == Self::PLATFORM {
            PLATFORM_ADMIN_AUDIENCE.to_owned()
        } else {
            format!("{TENANT_ADMIN_AUDIENCE}{self}")
        }
    }

    /// Whether this is [`TenantId::admin_audience`]. Does not allocate, because every token request calls it.
    #[must_use]
    pub fn is_admin_audience(&self, audience: &str) -> bool {
        if self.as_str() == Self::PLATFORM {
            audience == PLATFORM_ADMIN_AUDIENCE
        } else {
            audience.strip_prefix(TENANT_ADMIN_AUDIENCE) == Some(self.as_str())
        }
    }
}

impl FromStr for TenantId {
    type Err = InvalidTenantId;

    fn from_str(text: &str) -> Result<Self, InvalidTenantId> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_short_lower_case_names_are_tenant_ids() {
        for good in ["a", "0", "test-tenant", "a-", &"a".repeat(63)] {
            assert_eq!(TenantId::parse(good).unwrap().as_str(), good);
        }
        let long = "a".repeat(10_000);
        for bad in
            ["", "-a", "A", "a_b", "..", "%2e", "a\0", "a b", "\u{e9}", "a/b", "a.b", &"a".repeat(64), &long]
        {
            assert_eq!(TenantId::parse(bad), Err(InvalidTenantId), "{bad}");
        }
    }

    #[test]
    fn tenant_accepts_only_its_own_admin_audience() {
        let audiences = [
            ("platform", "urn:latchkey:admin"),
            ("acme", "urn:latchkey:tenant:acme"),
            ("admin", "urn:latchkey:tenant:admin"),
        ];
        for (id, own) in audiences {
            let id = TenantId::parse(id).unwrap();
            assert_eq!(id.admin_audience(), own);
            let others = audiences.iter().map(|(_, audience)| *audience).chain([
                "urn:latchkey:tenant:platform",
                "urn:latchkey:tenant:",
                "urn:latchkey:tenant:acme:x",
                "URN:latchkey:admin",
                "acme",
                "",
            ]);
            for audience in others {
                assert_eq!(id.is_admin_audience(audience), audience == own, "{id} {audience}");
            }
        }
    }
}
