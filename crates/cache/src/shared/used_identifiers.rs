//! Marks in Redis of identifiers that the store has recorded. A mark refuses its identifier, and nothing in
//! Redis accepts one.
//!
//! A mark is sealed under its name, with the second in which it ends. So only a replica of this installation
//! can make one, and a mark that is copied to another tenant or put back later is invalid.

use std::sync::Arc;
use std::time::Duration;

use registry::SingleUseIdentifier;
use tenancy::TenantId;

use super::RedisCache;
use super::scripts::{LOOK_FOR_MARK, MARK};
use super::sealer::SealPurpose;

impl RedisCache {
    /// Whether Redis has a mark that this identifier was used in this tenant. No answer counts as no mark.
    pub(crate) async fn is_marked(&self, tenant: &TenantId, identifier: &SingleUseIdentifier) -> bool {
        let name = self.names.used(tenant, identifier);
        let found = self.connection.run(&LOOK_FOR_MARK, std::slice::from_ref(&name), &[]).await;
        let Some(sealed): Option<Vec<u8>> = found.flatten() else { return false };
        let Some(ends_at) = self.opened(&name, &sealed) else {
            self.connection.counters.rejected.count();
            return false;
        };
        let is_marked = (self.clock)() < ends_at;
        if is_marked {
            self.connection.counters.refused_early.count();
        }
        is_marked
    }

    /// Marks an identifier in the background, until it expires and for no longer than this.
    pub(crate) fn mark_used(
        self: &Arc<Self>,
        tenant: &TenantId,
        identifier: &SingleUseIdentifier,
        at_most: Duration,
    ) {
        let now = (self.clock)();
        let expires_at = Duration::from_secs(identifier.expires_at.seconds());
        let left = expires_at.saturating_sub(now).min(at_most);
        if left.is_zero() || !self.is_up_for(tenant) {
            return;
        }
        let Ok(turn) = Arc::clone(&self.marking).try_acquire_owned() else { return };
        let (redis, name) = (Arc::clone(self), self.names.used(tenant, identifier));
        self.connection.runtime.spawn(async move {
            let _turn = turn;
            redis.mark(name, now + left, left).await;
        });
    }

    async fn mark(&self, name: String, ends_at: Duration, left: Duration) {
        // The end is in whole seconds. The second that has begun does not count.
        let plaintext = ends_at.as_secs().to_be_bytes();
        let Some(sealed) = self.sealer.seal(SealPurpose::UsedIdentifier, &name, &plaintext) else { return };
        let left = left.as_millis().to_string();
        if let Some(true) = self.connection.run(&MARK, &[name], &[&sealed, left.as_bytes()]).await {
            self.connection.counters.marks.count();
        }
    }

    /// When the mark of this name ends, since 1970.
    fn opened(&self, name: &str, sealed: &[u8]) -> Option<Duration> {
        let plaintext = self.sealer.open(SealPurpose::UsedIdentifier, name, sealed)?;
        Some(Duration::from_secs(u64::from_be_bytes(plaintext.as_slice().try_into().ok()?)))
    }
}
