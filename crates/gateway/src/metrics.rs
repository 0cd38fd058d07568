//! Counts the results of requests. Each worker has its own counters, so that counting takes
//! nanoseconds and no lock; a scrape adds them up. Labels are constants: tenants, clients and paths
//! create no series.

mod exposition;
mod histogram;
mod series;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

pub(crate) use series::Series;

use crate::Sample;
use crate::connection::{ConnectionSlots, Refusals};

/// The label of requests without a route.
pub(crate) const UNKNOWN_ROUTE: &str = "unknown";

/// The counters of all workers.
#[derive(Default)]
pub(crate) struct WorkerMetrics {
    routes: Mutex<Vec<(&'static str, Arc<Series>)>>,
    unread_forwarding: AtomicU64,
    slots: Arc<ConnectionSlots>,
    refusals: Arc<Refusals>,
}

impl WorkerMetrics {
    /// Includes the metrics of connections and of refused requests.
    pub(crate) fn new(slots: Arc<ConnectionSlots>, refusals: Arc<Refusals>) -> Self {
        Self { slots, refusals, ..Self::default() }
    }

    /// Creates the counters of one route for one worker.
    pub(crate) fn series(&self, route: &'static str) -> Arc<Series> {
        let series = Arc::new(Series::default());
        self.routes.lock().push((route, Arc::clone(&series)));
        series
    }

    /// Counts a request with a forwarding header on a listener without trusted proxies. Logs a
    /// warning for the first one.
    pub(crate) fn forwarding_was_not_read(&self) {
        if self.unread_forwarding.fetch_add(1, Ordering::Relaxed) == 0 {
            tracing::warn!(
                "requests contain X-Forwarded-For or Forwarded, but their listener trusts no proxy: add the \
                    proxy to trusted_proxies; otherwise all callers behind it count as one"
            );
        }
    }

    fn unread_forwarding(&self) -> Sample {
        let help = "Requests with X-Forwarded-For or Forwarded at a listener that trusts no proxy.";
        let count = self.unread_forwarding.load(Ordering::Relaxed);
        Sample::counter("latchkey_forwarding_not_read_total", help, &[], count)
    }

    #[cfg(test)]
    pub(crate) fn patterns(&self) -> Vec<&'static str> {
        self.routes.lock().iter().map(|(pattern, _)| *pattern).collect()
    }

    /// Prometheus text format 0.0.4. The gateway's own metrics come first.
    pub(crate) fn render(&self, samples: &[Sample]) -> String {
        let all = self.routes.lock().clone();
        let mut by_route: BTreeMap<&'static str, series::SeriesCounts> = BTreeMap::new();
        for (route, series) in &all {
            if let Some(counts) = series.counts() {
                by_route.entry(route).or_default().add(counts);
            }
        }
        let mut text = exposition::requests(&by_route);
        exposition::append_samples(&mut text, &self.slots.samples());
        exposition::append_samples(&mut text, &[self.refusals.sample(), self.unread_forwarding()]);
        exposition::append_samples(&mut text, samples);
        text
    }
}
