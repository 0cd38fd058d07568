//! Cached revocations. Stale revocations are never used to check whether a token is revoked. They may be used
//! to issue a token.

use std::sync::Arc;
use std::time::Duration;

use administration::kinds::Invalidation;
use async_trait::async_trait;
use registry::{RevocationFacts, RevocationStore, RevokedSubject, TokenRevocation};
use tenancy::{StoreError, Stored, TenantId};
use tokio::time::Instant;
use values::Timestamp;

use crate::read_through::{ReadAnew, checked};
use crate::shared::SharedRows;
use crate::{ReadThrough, SharedReading, Source, weights};

/// A [`RevocationStore`] that caches another one.
pub type CachedRevocationStore = ReadThrough<Revocations>;

pub struct Revocations {
    pub(crate) store: Arc<dyn RevocationStore>,
    pub(crate) shared: SharedRows,
}

#[async_trait]
impl RevocationStore for CachedRevocationStore {
    async fn find_revocations(&self, tenant: &TenantId) -> Stored<Arc<RevocationFacts>> {
        present(self.get(tenant).await)
    }

    fn fresh_revocations(&self, tenant: &TenantId) -> Option<Arc<RevocationFacts>> {
        self.fresh(tenant)
    }

    async fn find_revocations_to_issue(&self, tenant: &TenantId) -> Stored<Arc<RevocationFacts>> {
        present(self.get_stale(tenant, Duration::MAX).await)
    }

    async fn revoke_token(&self, tenant: &TenantId, token: &TokenRevocation, now: Timestamp) -> Stored<()> {
        // RFC 7009 §2.1: "The invalidation takes place immediately, and the token cannot be used again after
        // the revocation. In practice, there could be a propagation delay".
        let _read_anew = self.read_anew(tenant);
        self.source.store.revoke_token(tenant, token, now).await
    }

    async fn revoke_people(
        &self,
        tenant: &TenantId,
        subject: &RevokedSubject,
        sub: Option<&str>,
        now: Timestamp,
    ) -> Stored<()> {
        let _read_anew = self.read_anew(tenant);
        self.source.store.revoke_people(tenant, subject, sub, now).await
    }

    fn notice_revocations(&self, tenant: &TenantId) {
        drop(self.read_anew(tenant));
    }

    async fn delete_ended_revocations(&self, now: Timestamp) -> Stored<u64> {
        self.source.store.delete_ended_revocations(now).await
    }
}

fn of_tenant(tenant: &TenantId, found: Arc<RevocationFacts>) -> Stored<Option<Arc<RevocationFacts>>> {
    checked((tenant, ""), Some(found), |facts| (&facts.tenant, ""))
}

fn present(found: Stored<Option<Arc<RevocationFacts>>>) -> Stored<Arc<RevocationFacts>> {
    found?.ok_or_else(|| StoreError::fault("the revocations of a tenant are never absent"))
}

impl CachedRevocationStore {
    fn read_anew(&self, tenant: &TenantId) -> ReadAnew<'_, Revocations> {
        ReadAnew { cache: self, shared: &self.source.shared, row: Invalidation::Revocations(tenant.clone()) }
    }
}

#[async_trait]
impl Source for Revocations {
    type Key = TenantId;
    type Value = RevocationFacts;

    const NAME: &'static str = "revocations";

    fn bytes(key: &TenantId, facts: Option<&RevocationFacts>) -> usize {
        weights::entry(key.as_str().len(), facts.map_or(0, RevocationFacts::bytes))
    }

    fn name(key: &TenantId) -> (&TenantId, &str) {
        (key, "")
    }

    async fn load(&self, key: &TenantId) -> Stored<SharedReading<RevocationFacts>> {
        let load = async { of_tenant(key, self.store.find_revocations(key).await?) };
        self.shared.read(&Invalidation::Revocations(key.clone()), load).await
    }

    /// Reads only the new revocations, from the store, because Redis has only complete sets.
    async fn load_later(
        &self,
        key: &TenantId,
        known: Arc<RevocationFacts>,
    ) -> Stored<SharedReading<RevocationFacts>> {
        if known.is_empty() {
            return self.load(key).await;
        }
        let at = Instant::now();
        let value = of_tenant(key, self.store.find_later_revocations(key, &known).await?)?;
        Ok(SharedReading { value, at, is_shared: false })
    }

    /// Never stale: a token that was revoked in the meantime would count as valid.
    fn stale_if_error(&self, _: &TenantId, _: &RevocationFacts) -> Duration {
        Duration::ZERO
    }
}
