//! `GET /metrics`: the numbers of all workers in Prometheus' text format, on addresses for administration only.

use actix_web::HttpResponse;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use actix_web::web::Data;

use crate::Services;
use crate::metrics::Metrics;

pub(crate) async fn metrics(services: Data<Services>, metrics: Data<Metrics>) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8"))
        .insert_header((CACHE_CONTROL, "no-store"))
        .body(metrics.render(&services.health_report.samples()))
}
