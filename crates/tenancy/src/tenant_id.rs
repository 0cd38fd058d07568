//! The name of a tenant in paths, rows and cache keys: `[a-z0-9][a-z0-9-]{0,62}`, compared exactly.

use std::fmt;
use std::sync::Arc;

/// A tenant's identifier. Having one says that the text has the right shape, not that the tenant exists.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TenantId(Arc<str>);

/// The text cannot name a tenant, so no store is asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a tenant id is 1 to 63 of a-z, 0-9 and -, and begins with a letter or digit")]
pub struct InvalidTenantId;

impl TenantId {
    /// The reserved tenant of the platform's own administrators; it can be neither declared nor default.
    pub const PLATFORM: &str = "platform";

    /// Checks the shape. There is no folding of case or decoding of escapes: two spellings of one tenant would be two cache
    /// keys and, sooner or later, two rows.
    ///
    /// # Errors
    /// [`InvalidTenantId`].
    pub fn parse(text: &str) -> Result<Self, InvalidTenantId> {
        let inner = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
        let fits = (1..=63).contains(&text.len()) && !text.starts_with('-') && text.bytes().all(inner);
        if fits { Ok(Self(text.into())) } else { Err(InvalidTenantId) }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TenantId({})", self.0)
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
}
