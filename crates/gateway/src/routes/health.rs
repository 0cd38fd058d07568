//! `GET /health/live` and `GET /health/ready`: for supervisors and load balancers. The responses
//! name no tenant and read no store, because anyone can request them at any rate.

use std::collections::BTreeMap;
use std::time::Instant;

use actix_web::HttpResponseBuilder;
use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, ContentType, RETRY_AFTER};
use actix_web::web::Data;
use administration::documents::schema::JsonSchema;
use serde::Serialize;

use crate::health_report::{HealthCheck, HealthState};
use crate::readiness::Readiness;
use crate::respond::{OAuthError, OAuthResult};
use crate::{Services, respond};

/// The program is running.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Live {
    /// Always `live`.
    #[schemars(example = &"live", extend("enum" = ["live"]))]
    status: &'static str,
}

/// Whether the program can take requests.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Ready<'a> {
    /// Whether requests can be served.
    #[schemars(example = &"ready", extend("enum" = ["ready", "not_ready"]))]
    status: &'static str,
    /// By part: `store`, `keys`, and `draining` while the program shuts down.
    checks: BTreeMap<&'static str, CheckResult<'a>>,
}

/// The state of one part.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Check")]
pub(crate) struct CheckResult<'a> {
    /// `ok`; `degraded`: not available, but requests are served; `failed`: requests cannot be served.
    #[schemars(example = &"ok", extend("enum" = ["ok", "degraded", "failed"]))]
    status: &'static str,
    /// Why it is not ok.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
}

pub(crate) async fn live() -> OAuthResult {
    respond::secret_json(&Live { status: "live" })
}

pub(crate) async fn ready(services: Data<Services>, readiness: Data<Readiness>) -> OAuthResult {
    readiness.probed(Instant::now());
    let mut checks = services.health_report.checks();
    if readiness.is_draining() {
        let reason = "the program is shutting down; it still answers open requests".into();
        checks.push(HealthCheck { part: "draining", state: HealthState::Failed(reason) });
    }
    let is_ready = !checks.iter().any(|check| matches!(check.state, HealthState::Failed(_)));
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

fn check_result(state: &HealthState) -> CheckResult<'_> {
    match state {
        HealthState::Good => CheckResult { status: "ok", reason: None },
        HealthState::Degraded(reason) => CheckResult { status: "degraded", reason: Some(reason) },
        HealthState::Failed(reason) => CheckResult { status: "failed", reason: Some(reason) },
    }
}
