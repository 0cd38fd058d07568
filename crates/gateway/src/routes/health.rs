//! `GET /health/live` and `GET /health/ready`: for whoever starts, stops and spreads load. No tenant is named, and nothing is asked
//! of a store: strangers may probe as often as they like.

use std::collections::BTreeMap;
use std::time::Instant;

use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, ContentType, RETRY_AFTER};
use actix_web::web::Data;
use actix_web::{HttpResponse, HttpResponseBuilder};
use serde::Serialize;

use crate::health_report::{Check, State};
use crate::readiness::Readiness;
use crate::respond::OAuthError;
use crate::{Services, respond};

#[derive(Serialize)]
struct Live {
    status: &'static str,
}

#[derive(Serialize)]
struct Ready<'a> {
    status: &'static str,
    checks: BTreeMap<&'static str, CheckResult<'a>>,
}

#[derive(Serialize)]
struct CheckResult<'a> {
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
}

/// Ask whether the program serves at all.
#[utoipa::path(
    get, path = "/health/live", tag = "operations",
    responses((status = 200, description = "It does", body = crate::openapi::Live))
)]
pub(crate) async fn live() -> Result<HttpResponse, OAuthError> {
    respond::secret_json(&Live { status: "live" })
}

/// Ask whether callers should be sent here.
#[utoipa::path(
    get, path = "/health/ready", tag = "operations",
    responses(
        (status = 200, description = "They should; a degraded part says why", body = crate::openapi::Ready),
        (status = 503, description = "They should not, for the reasons of the failed parts", body = crate::openapi::Ready),
    )
)]
pub(crate) async fn ready(
    services: Data<Services>,
    readiness: Data<Readiness>,
) -> Result<HttpResponse, OAuthError> {
    readiness.probed(Instant::now());
    let mut checks = services.health_report.checks();
    if readiness.is_draining() {
        let reason = "the program is about to end; open requests are answered".into();
        checks.push(Check { part: "draining", state: State::Failed(reason) });
    }
    let is_ready = !checks.iter().any(|check| matches!(check.state, State::Failed(_)));
    let body = Ready {
        status: if is_ready { "ready" } else { "not_ready" },
        checks: checks.iter().map(|check| (check.part, check_result(&check.state))).collect(),
    };
    let body = serde_json::to_vec(&body).map_err(|error| OAuthError::fault(&error))?;
    let status = if is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let mut response = HttpResponseBuilder::new(status);
    response.insert_header(ContentType::json()).insert_header((CACHE_CONTROL, "no-store"));
    if !is_ready {
        response.insert_header((RETRY_AFTER, "1"));
    }
    Ok(response.body(body))
}

fn check_result(state: &State) -> CheckResult<'_> {
    match state {
        State::Good => CheckResult { status: "ok", reason: None },
        State::Degraded(reason) => CheckResult { status: "degraded", reason: Some(reason) },
        State::Failed(reason) => CheckResult { status: "failed", reason: Some(reason) },
    }
}
