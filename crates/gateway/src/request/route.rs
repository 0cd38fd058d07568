//! The route that took a request.

use std::sync::Arc;

use crate::metrics::Series;

/// The pattern of a route, and the counters of its requests on this worker.
#[derive(Clone)]
pub(crate) struct Route {
    pub(crate) pattern: &'static str,
    pub(crate) series: Arc<Series>,
    /// Whether the pattern contains a tenant (`{id}`).
    pub(crate) has_tenant: bool,
    /// Whether scripts of any origin may call the route (CORS).
    pub(crate) is_shared: bool,
}

impl Route {
    pub(crate) fn new(pattern: &'static str, series: Arc<Series>, is_shared: bool) -> Self {
        Self { pattern, series, has_tenant: pattern.contains("{id}"), is_shared }
    }
}
