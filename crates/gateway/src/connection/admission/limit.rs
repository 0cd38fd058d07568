//! Limits the waiting requests to the number that the worker can answer in time.

use std::time::Duration;

use actix_web::rt::time::Instant;

/// The maximum time in the queue.
#[derive(Clone, Copy, Debug)]
pub(super) struct QueueLimit(pub(super) Duration);

impl QueueLimit {
    /// The maximum number of waiting requests, each of which takes `cost`. At least one request of
    /// each tenant may wait, however slow the worker is. Otherwise a tenant that sends requests
    /// without pause would leave no place for other tenants.
    pub(super) fn most(&self, tenants: usize, cost: Duration) -> usize {
        let in_time = self.0.as_nanos() / cost.as_nanos().max(1);
        usize::try_from(in_time).unwrap_or(usize::MAX).max(tenants)
    }

    /// Whether a request that arrived at `came` has waited too long. This can happen because `cost`
    /// is an estimate.
    pub(super) fn is_over(&self, came: Instant, now: Instant) -> bool {
        now.saturating_duration_since(came) > self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queue_limit_follows_the_request_cost() {
        let limit = QueueLimit(Duration::from_secs(1));
        for (cost, tenants, expected) in
            [(250, 1, 4_000), (25, 3, 40_000), (2_000_000, 3, 3), (0, 1, 1_000_000_000)]
        {
            assert_eq!(limit.most(tenants, Duration::from_micros(cost)), expected, "{cost} {tenants}");
        }
    }
}
