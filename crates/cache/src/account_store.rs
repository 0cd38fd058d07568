//! Cached accounts without passwords, for userinfo. They stay in this process and are not shared through
//! Redis, because they are personal data.

use std::sync::Arc;
use std::time::Duration;

use accounts::{Account, AccountId, AccountPassword, AccountStore, Identifier};
use async_trait::async_trait;
use tenancy::{Stored, TenantId};
use tokio::time::Instant;

use crate::read_through::checked;
use crate::{ReadThrough, SharedReading, Source, weights};

/// An [`AccountStore`] that caches another one.
pub type CachedAccountStore = ReadThrough<Accounts>;

pub struct Accounts {
    pub(crate) store: Arc<dyn AccountStore>,
}

#[async_trait]
impl AccountStore for CachedAccountStore {
    /// Not cached: a sign-in needs the current account.
    async fn find_by_identifier(
        &self,
        tenant: &TenantId,
        identifier: &Identifier,
    ) -> Stored<Option<(Arc<Account>, Option<AccountPassword>)>> {
        self.source.store.find_by_identifier(tenant, identifier).await
    }

    /// Goes to the store, because passwords are not cached.
    async fn replace_password(
        &self,
        tenant: &TenantId,
        account: &AccountId,
        before: &AccountPassword,
        after: &AccountPassword,
    ) -> Stored<bool> {
        self.source.store.replace_password(tenant, account, before, after).await
    }

    async fn find_account(&self, tenant: &TenantId, account: &AccountId) -> Stored<Option<Arc<Account>>> {
        self.get(&(tenant.clone(), account.clone())).await
    }
}

#[async_trait]
impl Source for Accounts {
    type Key = (TenantId, AccountId);
    type Value = Account;

    const NAME: &'static str = "accounts";

    fn bytes((tenant, id): &Self::Key, account: Option<&Account>) -> usize {
        weights::entry(tenant.as_str().len() + id.as_str().len(), account.map_or(0, weight))
    }

    fn name((tenant, id): &Self::Key) -> (&TenantId, &str) {
        (tenant, id.as_str())
    }

    async fn load(&self, (tenant, id): &Self::Key) -> Stored<SharedReading<Account>> {
        let at = Instant::now();
        let found = self.store.find_account(tenant, id).await?;
        let value = checked((tenant, id.as_str()), found, |row| (&row.tenant, row.id.as_str()))?;
        Ok(SharedReading { value, at, is_shared: false })
    }

    /// Never stale: the person may have been suspended in the meantime.
    fn stale_if_error(&self, _: &TenantId, _: &Account) -> Duration {
        Duration::ZERO
    }
}

/// Parsed claims need more memory than their text.
fn weight(account: &Account) -> usize {
    let claims = account
        .claims
        .iter()
        .map(|(name, value)| weights::TEXT + name.len() + 4 * (weights::TEXT + value.to_string().len()));
    weights::of(account) + claims.sum::<usize>()
}

#[cfg(test)]
mod tests {
    use testkit::fixtures::tenant_id;
    use values::Timestamp;

    use super::*;

    #[test]
    fn claim_weight_includes_its_allocations() {
        let account = Account::new(tenant_id("acme"), AccountId::generate(), Timestamp::from_seconds(1));
        let claims = (10..60).map(|number| (number.to_string(), 1.into())).collect();
        assert!(weight(&Account { claims, ..account.clone() }) >= weight(&account) + 50 * 5 * weights::TEXT);
    }
}
