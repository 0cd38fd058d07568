//! The key of a cache entry. It contains the tenant, so that rows with the same name in two tenants are
//! different entries.

use std::sync::Arc;

use moka::Equivalent;
use tenancy::TenantId;

#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct RowKey {
    pub(crate) tenant: TenantId,
    id: Arc<str>,
}

/// A borrowed [`RowKey`], so that a lookup does not allocate.
#[derive(Clone, Copy, Hash)]
pub(crate) struct BorrowedRowKey<'a> {
    pub(crate) tenant: &'a TenantId,
    /// The name of the row within its tenant. Empty if a tenant has only one such row.
    pub(crate) id: &'a str,
}

impl BorrowedRowKey<'_> {
    pub(crate) fn to_key(self) -> RowKey {
        RowKey { tenant: self.tenant.clone(), id: self.id.into() }
    }
}

impl Equivalent<RowKey> for BorrowedRowKey<'_> {
    fn equivalent(&self, key: &RowKey) -> bool {
        *self.tenant == key.tenant && *self.id == *key.id
    }
}

#[cfg(test)]
mod tests {
    use std::hash::{BuildHasher as _, RandomState};

    use super::*;

    #[test]
    fn name_finds_only_its_own_key() {
        let tenants = ["acme", "acmea", "globex"].map(|name| TenantId::parse(name).unwrap());
        let ids = ["", "a", "ab", "acme"];
        let names: Vec<_> =
            tenants.iter().flat_map(|tenant| ids.map(|id| BorrowedRowKey { tenant, id })).collect();
        let hasher = RandomState::new();
        for (at, name) in names.iter().enumerate() {
            for (other, key) in names.iter().map(|name| name.to_key()).enumerate() {
                assert_eq!(name.equivalent(&key), at == other);
                assert_eq!(hasher.hash_one(name) == hasher.hash_one(&key), at == other);
            }
        }
    }
}
