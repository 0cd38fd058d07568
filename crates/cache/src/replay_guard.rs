//! A replay guard that reads Redis first: it refuses a marked identifier without a statement. The store
//! decides in all other cases.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use registry::{ReplayStore, SingleUseIdentifier};
use tenancy::{Stored, TenantId};
use values::Timestamp;

use crate::RedisCache;

/// How long an identifier is marked that the store has recorded before. Only the first use knows when the row
/// expires. A later use of the same identifier may name a later end, at which the store would not refuse it
/// any more.
const HAD_BEFORE: Duration = Duration::from_secs(60);

/// A [`ReplayStore`] before another one, for replicas that share a Redis.
pub struct SharedReplayGuard {
    store: Arc<dyn ReplayStore>,
    redis: Arc<RedisCache>,
}

impl SharedReplayGuard {
    /// Before this store.
    #[must_use]
    pub fn new(store: Arc<dyn ReplayStore>, redis: Arc<RedisCache>) -> Self {
        Self { store, redis }
    }
}

#[async_trait]
impl ReplayStore for SharedReplayGuard {
    async fn record_use(&self, tenant: &TenantId, identifier: &SingleUseIdentifier) -> Stored<bool> {
        // Redis refuses early and accepts nothing: two arbiters would each accept one use (RFC 7523 §6 leaves
        // replays to implementations).
        if self.redis.is_marked(tenant, identifier).await {
            return Ok(false);
        }
        let is_first = self.store.record_use(tenant, identifier).await?;
        self.redis.mark_used(tenant, identifier, if is_first { Duration::MAX } else { HAD_BEFORE });
        Ok(is_first)
    }

    async fn is_used(&self, tenant: &TenantId, identifier: &SingleUseIdentifier) -> Stored<bool> {
        if self.redis.is_marked(tenant, identifier).await {
            return Ok(true);
        }
        let is_used = self.store.is_used(tenant, identifier).await?;
        if is_used {
            self.redis.mark_used(tenant, identifier, HAD_BEFORE);
        }
        Ok(is_used)
    }

    async fn delete_expired_identifiers(&self, now: Timestamp) -> Stored<u64> {
        self.store.delete_expired_identifiers(now).await
    }
}
