//! The route that took a request.

use std::sync::Arc;

use super::cross_origin;
use crate::metrics::Series;

/// The pattern of a route, and the series in which this worker counts its requests.
#[derive(Clone)]
pub(crate) struct Route {
    pub(crate) pattern: &'static str,
    pub(crate) series: Arc<Series>,
    /// Whether the pattern has the segment `{id}`, a tenant's.
    pub(crate) has_tenant: bool,
    /// Whether scripts of any origin may call it.
    pub(crate) is_shared: bool,
}

impl Route {
    pub(crate) fn new(pattern: &'static str, series: Arc<Series>) -> Self {
        let is_shared = cross_origin::is_shared(pattern);
        Self { pattern, series, has_tenant: pattern.contains("{id}"), is_shared }
    }
}
