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
use super::names::Place;
use super::scripts::ANNOUNCE;
use crate::Freshness;

/// Changes in one step: Redis does nothing else meanwhile.
const AT_ONCE: usize = 200;

impl RedisCache {
    /// From the moment that this returns, Redis is not believed about these tenants; the rest happens in the background. The
    /// receiver learns whether the first attempt succeeded.
    pub(crate) fn announce(
        self: &Arc<Self>,
        changes: &[Invalidation],
        freshness: Freshness,
    ) -> oneshot::Receiver<bool> {
        let mut of_tenants: HashMap<TenantId, Vec<Invalidation>> = HashMap::new();
        for change in changes {
            of_tenants.entry(tenant_of(change).clone()).or_default().push(change.clone());
        }
        let doubt = self.doubts.about(of_tenants.keys().cloned().collect());
        let (told, receiver) = oneshot::channel();
        let redis = Arc::clone(self);
        self.link.runtime.spawn(async move {
            let _doubt = doubt;
            redis.tell(of_tenants, freshness, told).await;
        });
        receiver
    }

    async fn tell(
        self: Arc<Self>,
        of_tenants: HashMap<TenantId, Vec<Invalidation>>,
        freshness: Freshness,
        told: oneshot::Sender<bool>,
    ) {
        let until = Instant::now() + freshness.of_values();
        let mut left: Vec<(TenantId, Vec<Invalidation>)> = Vec::new();
        for (tenant, changes) in of_tenants {
            for some in changes.chunks(AT_ONCE) {
                left.push((tenant.clone(), some.to_vec()));
            }
        }
        let mut told = Some(told);
        loop {
            let mut failed = Vec::new();
            for (tenant, changes) in left {
                if !self.tell_one(&tenant, &changes).await {
                    failed.push((tenant, changes));
                }
            }
            if let Some(told) = told.take() {
                // Whoever asked may have gone.
                let _ = told.send(failed.is_empty());
            }
            if failed.is_empty() {
                return;
            }
            if Instant::now() >= until {
                failed.iter().for_each(|_| self.link.counters.untold.count());
                return;
            }
            left = failed;
            sleep(self.link.timing.probe_every).await;
        }
    }

    async fn tell_one(&self, tenant: &TenantId, changes: &[Invalidation]) -> bool {
        let channel = self.names.channel();
        let Some(message) = message::seal(&self.sealer, &channel, &self.sender, tenant, changes) else {
            return false;
        };
        let mut keys = Vec::with_capacity(2 * changes.len());
        for change in changes {
            let place = match change {
                // All that was read under the epoch is void with it.
                Invalidation::Tenant(tenant) => {
                    keys.push(self.names.epoch(tenant));
                    continue;
                }
                Invalidation::Client(tenant, client) => Place::Client(tenant, client),
                Invalidation::Keys(tenant) => Place::Keys(tenant),
            };
            let [value, lease, _] = self.names.of(place);
            keys.extend([value, lease]);
        }
        let heard_by: Option<i64> = self.link.run(&ANNOUNCE, &keys, &[channel.as_bytes(), &message]).await;
        if heard_by.is_some() {
            self.link.counters.told.count();
        }
        heard_by.is_some()
    }
}
