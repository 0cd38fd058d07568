//! Publishes invalidations. After the commit, one atomic step for each tenant deletes the changed rows in
//! Redis and sends the message. If the step fails, this replica bypasses Redis for the tenant and tries again
//! until the last old row has expired.

use std::collections::HashMap;
use std::sync::Arc;

use administration::kinds::Invalidation;
use tenancy::TenantId;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep};

use super::RedisCache;
use super::message::Message;
use super::scripts::PUBLISH_INVALIDATION;
use crate::Freshness;

/// The maximum number of changes in one atomic step.
const AT_ONCE: usize = 200;

impl RedisCache {
    /// Invalidates changed rows. On return, Redis is bypassed for these tenants; the rest happens in the
    /// background. The receiver gets whether the first attempt succeeded.
    pub(crate) fn publish_invalidation(
        self: &Arc<Self>,
        changes: &[Invalidation],
        freshness: Freshness,
    ) -> oneshot::Receiver<bool> {
        let mut of_tenants: HashMap<TenantId, Vec<Invalidation>> = HashMap::new();
        for change in changes {
            of_tenants.entry(change.tenant().clone()).or_default().push(change.clone());
        }
        let pending = self.pending_invalidations.begin(of_tenants.keys());
        let (published, receiver) = oneshot::channel();
        let redis = Arc::clone(self);
        self.connection.runtime.spawn(async move {
            let _pending = pending;
            redis.notify(of_tenants.into_values(), freshness, published).await;
        });
        receiver
    }

    async fn notify(
        self: Arc<Self>,
        of_tenants: impl Iterator<Item = Vec<Invalidation>>,
        freshness: Freshness,
        published: oneshot::Sender<bool>,
    ) {
        let until = Instant::now() + freshness.of_values();
        let mut left: Vec<Vec<Invalidation>> = Vec::new();
        for changes in of_tenants {
            left.extend(changes.chunks(AT_ONCE).map(<[_]>::to_vec));
        }
        let mut published = Some(published);
        loop {
            let mut failed = Vec::new();
            for changes in left {
                if !self.notify_tenant(&changes).await {
                    failed.push(changes);
                }
            }
            if let Some(published) = published.take() {
                // The caller may no longer wait for the result.
                let _ = published.send(failed.is_empty());
            }
            if failed.is_empty() {
                return;
            }
            if Instant::now() >= until {
                failed.iter().for_each(|_| self.connection.counters.unpublished.count());
                return;
            }
            left = failed;
            sleep(self.connection.connector.timing.probe_every).await;
        }
    }

    async fn notify_tenant(&self, changes: &[Invalidation]) -> bool {
        let channel = self.names.channel();
        let message = Message { sender: self.sender.clone(), changes: changes.to_vec() };
        let Some(message) = message.seal(&self.sealer, &channel) else { return false };
        let mut keys = Vec::with_capacity(2 * changes.len());
        for change in changes {
            let [value, lease, epoch] = self.names.of(change);
            // Deleting the epoch invalidates all rows that were read in it.
            if matches!(change, Invalidation::Tenant(_)) {
                keys.push(epoch);
            } else {
                keys.extend([value, lease]);
            }
        }
        let receivers: Option<i64> =
            self.connection.run(&PUBLISH_INVALIDATION, &keys, &[channel.as_bytes(), &message]).await;
        if receivers.is_some() {
            self.connection.counters.published.count();
        }
        receivers.is_some()
    }
}
