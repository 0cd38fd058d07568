//! Marks in Redis of identifiers that the store has recorded. A mark can only cause a refusal; nothing in
//! Redis can make an identifier acceptable.
//!
//! A mark is sealed with its name and its expiry in seconds. So only replicas of this installation can create
//! marks, and a mark that is copied to another tenant or written back later is invalid.

use std::sync::Arc;
use std::time::Duration;

use registry::SingleUseIdentifier;
use tenancy::TenantId;

use super::RedisCache;
use super::scripts::{LOOK_FOR_MARK, MARK};
use super::sealer::SealPurpose;

impl RedisCache {
    /// Whether Redis has a mark for this identifier in this tenant. If Redis does not answer, this returns
    /// `false`.
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

    /// Marks an identifier in the background until it expires, but at most for the given time.
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
        // The expiry is cut to whole seconds.
        let plaintext = ends_at.as_secs().to_be_bytes();
        let Some(sealed) = self.sealer.seal(SealPurpose::UsedIdentifier, &name, &plaintext) else { return };
        let left = left.as_millis().to_string();
        if let Some(true) = self.connection.run(&MARK, &[name], &[&sealed, left.as_bytes()]).await {
            self.connection.counters.marks.count();
        }
    }

    /// The expiry of a mark since 1970. `None` if the mark is not authentic.
    fn opened(&self, name: &str, sealed: &[u8]) -> Option<Duration> {
        let plaintext = self.sealer.open(SealPurpose::UsedIdentifier, name, sealed)?;
        Some(Duration::from_secs(u64::from_be_bytes(plaintext.as_slice().try_into().ok()?)))
    }
}
