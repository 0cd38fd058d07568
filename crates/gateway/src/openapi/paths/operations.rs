//! Paths for operators and for readers of the documentation.

use crate::openapi::schemas::{Live, Ready};

/// Ask whether the program serves at all.
#[utoipa::path(
    get, path = "/health/live", tag = "operations",
    responses((status = 200, description = "It does", body = Live))
)]
pub(crate) fn live() {}

/// Ask whether callers should be sent here.
#[utoipa::path(
    get, path = "/health/ready", tag = "operations",
    responses(
        (status = 200, description = "They should; a degraded part says why", body = Ready),
        (status = 503, description = "They should not, for the reasons of the failed parts", body = Ready),
    )
)]
pub(crate) fn ready() {}

/// Read the numbers.
#[utoipa::path(
    get, path = "/metrics", tag = "operations",
    responses((status = 200, description = "Prometheus text format 0.0.4; served by listeners with the admin surface", content_type = "text/plain", body = String))
)]
pub(crate) fn metrics() {}

/// Fetch this document.
#[utoipa::path(get, path = "/openapi.json", tag = "documentation", responses((status = 200, description = "OpenAPI 3.1")))]
pub(crate) fn document() {}

/// Read this document.
#[utoipa::path(get, path = "/docs", tag = "documentation", responses((status = 200, description = "A page")))]
pub(crate) fn page() {}

/// The page's library.
#[utoipa::path(get, path = "/docs/scalar.js", tag = "documentation", responses((status = 200, description = "A script")))]
pub(crate) fn script() {}
