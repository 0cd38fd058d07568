//! Cached revocations. Stale facts never decide whether a token is revoked. They may serve to issue a token,
//! because a signature needs no answer of the store.

use std::sync::Arc;
use std::time::Duration;

use administration::Invalidation;
use async_trait::async_trait;
use registry::{RevocationFacts, RevocationStore, RevokedSubject, TokenRevocation};
use tenancy::{StoreError, Stored, TenantId};
use tokio::time::Instant;
use values::Timestamp;

use crate::shared::SharedRows;
use crate::{ReadThrough, SharedReading, Source, weights};

/// A cache before another [`RevocationStore`].
pub type CachedRevocationStore = ReadThrough<Revocations>;

/// The revocations in a store.
pub struct Revocations {
    pub(crate) store: Arc<dyn RevocationStore>,
    pub(crate) shared: SharedRows,
}

/// Invalidates a tenant's facts on drop, here and at other replicas, even if the caller gave up during a
/// write that may have succeeded.
struct DropFacts<'a>(&'a CachedRevocationStore, &'a TenantId);

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
        let _read_anew = DropFacts(self, tenant);
        self.source.store.revoke_token(tenant, token, now).await
    }

    async fn revoke_people(
        &self,
        tenant: &TenantId,
        subject: &RevokedSubject,
        sub: Option<&str>,
        now: Timestamp,
    ) -> Stored<()> {
        let _read_anew = DropFacts(self, tenant);
        self.source.store.revoke_people(tenant, subject, sub, now).await
    }

    fn notice_revocations(&self, tenant: &TenantId) {
        drop(DropFacts(self, tenant));
    }

    async fn delete_ended_revocations(&self, now: Timestamp) -> Stored<u64> {
        self.source.store.delete_ended_revocations(now).await
    }
}

fn of_tenant(tenant: &TenantId, found: Arc<RevocationFacts>) -> Stored<Option<Arc<RevocationFacts>>> {
    if found.tenant == *tenant {
        return Ok(Some(found));
    }
    let owner = &found.tenant;
    Err(StoreError::fault(format!("the store answered with revocations of {owner} instead of {tenant}")))
}

fn present(found: Stored<Option<Arc<RevocationFacts>>>) -> Stored<Arc<RevocationFacts>> {
    found?.ok_or_else(|| StoreError::fault("the revocations of a tenant are never absent"))
}

impl Drop for DropFacts<'_> {
    fn drop(&mut self) {
        let Self(revocations, tenant) = self;
        // The invalidation runs in the background. Redis is bypassed until it is done.
        drop(revocations.source.shared.publish_invalidation(&[Invalidation::Revocations((*tenant).clone())]));
        revocations.invalidate_tenant(tenant);
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

    /// Reads only the later revocations, from the store: Redis holds all of them or nothing.
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

    /// A token that was revoked meanwhile would be valid.
    fn stale_if_error(&self, _: &TenantId, _: &RevocationFacts) -> Duration {
        Duration::ZERO
    }
}
