//! What requests came to, in numbers. Every worker counts for itself, so that counting costs a request some nanoseconds and no
//! waiting; a scrape adds up. Labels are texts of the program only: neither tenants nor clients nor paths make a series.

mod exposition;
mod histogram;
mod series;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

pub(crate) use series::{Answered, Series};

use crate::Sample;

/// What is counted for requests that no route takes.
pub(crate) const UNKNOWN_ROUTE: &str = "unknown";

/// The numbers of all workers.
#[derive(Default)]
pub(crate) struct Metrics(Mutex<Vec<(&'static str, Arc<Series>)>>);

impl Metrics {
    /// The counters of one route on one worker.
    pub(crate) fn series(&self, route: &'static str) -> Arc<Series> {
        let series = Arc::new(Series::default());
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push((route, Arc::clone(&series)));
        series
    }

    /// In Prometheus' text format 0.0.4, the gateway's own numbers before these.
    pub(crate) fn render(&self, samples: &[Sample]) -> String {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut by_route: BTreeMap<&'static str, series::Sum> = BTreeMap::new();
        for (route, series) in &all {
            if let Some(counts) = series.counts() {
                by_route.entry(route).or_default().add(counts);
            }
        }
        let mut text = exposition::requests(&by_route);
        exposition::append_samples(&mut text, samples);
        text
    }
}
