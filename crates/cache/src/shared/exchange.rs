//! Exchanges what replicas count together: sends what was counted here, and learns the totals. Redis can only
//! make a limit stricter. While it does not answer, what was counted here waits, as far as it still counts.
//!
//! Only digests reach Redis, every key expires, and a forged total counts at most as twice the limit.

use std::sync::Weak;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream;
use secrets::Delta;
use tenancy::TenantId;
use tokio::time::sleep;

use super::RedisCache;
use super::scripts::EXCHANGE;

/// The time between two exchanges. In this time, replicas do not know what the others count.
const EVERY: Duration = Duration::from_millis(250);
/// The maximum number of counts in one exchange, of all tenants together. Each tenant may send at least one.
const AT_ONCE: usize = 4_096;
/// The maximum number of counts in one atomic step.
const IN_A_STEP: usize = 100;
/// The maximum number of concurrent steps.
const STEPS: usize = 32;

pub(crate) async fn exchange_repeatedly(redis: Weak<RedisCache>) {
    loop {
        sleep(EVERY).await;
        let Some(redis) = redis.upgrade() else { return };
        redis.exchange().await;
    }
}

impl RedisCache {
    async fn exchange(&self) {
        let taken = self.counts_to_share.take(AT_ONCE, self.now(), |tenant| self.is_up_for(tenant));
        let mut steps = Vec::new();
        for (tenant, deltas) in &taken {
            steps.extend(deltas.chunks(IN_A_STEP).map(|deltas| self.exchange_step(tenant, deltas)));
        }
        stream::iter(steps).buffer_unordered(STEPS).collect::<()>().await;
    }

    async fn exchange_step(&self, tenant: &TenantId, deltas: &[Delta]) {
        let keys: Vec<_> = deltas.iter().map(|delta| self.names.count(tenant, delta.key)).collect();
        let now = self.now();
        let arguments = deltas.iter().map(|Delta { is_reset, ends_at, most, amount, member, .. }| {
            let rest = ends_at.map_or(0, |ends_at| ends_at.saturating_sub(now).max(1));
            let member = member.map_or_else(String::new, |member| format!("{member:016x}"));
            format!("{} {rest} {most} {amount} {member}", u8::from(*is_reset))
        });
        let arguments: Vec<_> = arguments.collect();
        let arguments: Vec<_> = arguments.iter().map(String::as_bytes).collect();
        let totals: Option<Vec<i64>> = self.connection.run(&EXCHANGE, &keys, &arguments).await;
        for (delta, total) in deltas.iter().zip(totals.into_iter().flatten()) {
            self.counts_to_share.learn(tenant, delta, u64::try_from(total).unwrap_or(0), self.now());
        }
    }

    /// Milliseconds since 1970.
    fn now(&self) -> u64 {
        u64::try_from((self.clock)().as_millis()).unwrap_or(u64::MAX)
    }
}
