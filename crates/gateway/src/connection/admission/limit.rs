//! Limits the requests that may wait on one worker to those that it can answer in time.

use std::time::Duration;

use actix_web::rt::time::Instant;

/// The longest time in the queue of a worker.
#[derive(Clone, Copy, Debug)]
pub(super) struct QueueLimit(pub(super) Duration);

impl QueueLimit {
    /// How many requests may wait, each at this cost. One of each tenant may wait, however slow the worker
    /// is. Otherwise a tenant that sends its next request immediately would leave no place for another
    /// tenant.
    pub(super) fn most(&self, tenants: usize, cost: Duration) -> usize {
        let in_time = self.0.as_nanos() / cost.as_nanos().max(1);
        usize::try_from(in_time).unwrap_or(usize::MAX).max(tenants)
    }

    /// Whether a request that came then has waited too long. The cost that admitted it was an estimate.
    pub(super) fn is_over(&self, came: Instant, now: Instant) -> bool {
        now.saturating_duration_since(came) > self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_wait_as_are_answered_in_time() {
        let limit = QueueLimit(Duration::from_secs(1));
        for (cost, tenants, expected) in
            [(250, 1, 4_000), (25, 3, 40_000), (2_000_000, 3, 3), (0, 1, 1_000_000_000)]
        {
            assert_eq!(limit.most(tenants, Duration::from_micros(cost)), expected, "{cost} {tenants}");
        }
    }
}
