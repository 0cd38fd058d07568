//! Tells Redis and the other replicas what has changed: after the commit, in one step for each tenant, what Redis holds is deleted
//! and the message is sent. While Redis cannot be told, this replica does not ask it about the tenant, and tries again until the
//! last value from before the change has expired by itself.

use std::collections::HashMap;
use std::sync::Arc;

use administration::Invalidation;
use tenancy::TenantId;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep};

use super::RedisCache;
use super::message::{self, tenant_of};
use super::names::SharedItem;
use super::scripts::PUBLISH_INVALIDATION;
use crate::Freshness;

/// Changes in one step: Redis does nothing else meanwhile.
const AT_ONCE: usize = 200;

impl RedisCache {
    /// From the moment that this returns, Redis is not believed about these tenants; the rest happens in the background. The
    /// receiver learns whether the first attempt succeeded.
    pub(crate) fn publish_invalidation(
        self: &Arc<Self>,
        changes: &[Invalidation],
        freshness: Freshness,
    ) -> oneshot::Receiver<bool> {
        let mut of_tenants: HashMap<TenantId, Vec<Invalidation>> = HashMap::new();
        for change in changes {
            of_tenants.entry(tenant_of(change).clone()).or_default().push(change.clone());
        }
        let pending = self.pending_invalidations.begin(of_tenants.keys().cloned().collect());
        let (published, receiver) = oneshot::channel();
        let redis = Arc::clone(self);
        self.connection.runtime.spawn(async move {
            let _pending = pending;
            redis.notify(of_tenants, freshness, published).await;
        });
        receiver
    }

    async fn notify(
        self: Arc<Self>,
        of_tenants: HashMap<TenantId, Vec<Invalidation>>,
        freshness: Freshness,
        published: oneshot::Sender<bool>,
    ) {
        let until = Instant::now() + freshness.of_values();
        let mut left: Vec<(TenantId, Vec<Invalidation>)> = Vec::new();
        for (tenant, changes) in of_tenants {
            for some in changes.chunks(AT_ONCE) {
                left.push((tenant.clone(), some.to_vec()));
            }
        }
        let mut published = Some(published);
        loop {
            let mut failed = Vec::new();
            for (tenant, changes) in left {
                if !self.notify_tenant(&tenant, &changes).await {
                    failed.push((tenant, changes));
                }
            }
            if let Some(published) = published.take() {
                // Whoever asked may have gone.
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
            sleep(self.connection.timing.probe_every).await;
        }
    }

    async fn notify_tenant(&self, tenant: &TenantId, changes: &[Invalidation]) -> bool {
        let channel = self.names.channel();
        let Some(message) = message::seal(&self.sealer, &channel, &self.sender, tenant, changes) else {
            return false;
        };
        let mut keys = Vec::with_capacity(2 * changes.len());
        for change in changes {
            let item = match change {
                // All that was read under the epoch is void with it.
                Invalidation::Tenant(tenant) => {
                    keys.push(self.names.epoch(tenant));
                    continue;
                }
                Invalidation::Client(tenant, client) => SharedItem::Client(tenant, client),
                Invalidation::Keys(tenant) => SharedItem::Keys(tenant),
            };
            let [value, lease, _] = self.names.of(item);
            keys.extend([value, lease]);
        }
        let receivers: Option<i64> =
            self.connection.run(&PUBLISH_INVALIDATION, &keys, &[channel.as_bytes(), &message]).await;
        if receivers.is_some() {
            self.connection.counters.published.count();
        }
        receivers.is_some()
    }
}
