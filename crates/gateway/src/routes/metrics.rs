//! `GET /metrics`: the metrics of all workers in the text format of Prometheus, on listeners for
//! administration.

use std::sync::atomic::{AtomicU64, Ordering};

use actix_web::HttpResponse;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use actix_web::web::Data;

use crate::Services;
use crate::health_report::{Labels, Sample};
use crate::metrics::WorkerMetrics;

pub(crate) async fn metrics(services: Data<Services>, metrics: Data<WorkerMetrics>) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8"))
        .insert_header((CACHE_CONTROL, "no-store"))
        .body(
            metrics.render(
                &[
                    services.health_report.samples(),
                    ended_presented(&services),
                    reused_grants(&services),
                    client_tokens(&services),
                ]
                .concat(),
            ),
        )
}

/// Counts uses of revoked and expired credentials. The lists of secrets and API keys name their
/// callers.
fn ended_presented(services: &Services) -> Vec<Sample> {
    const NAME: &str = "latchkey_ended_credentials_presented_total";
    const HELP: &str = "Expired or revoked client secrets and API keys that were presented, and refused.";
    let authenticator = &services.tokens.authenticator;
    let counts: [(Labels, &AtomicU64); 2] = [
        (&[("credential", "client_secret")], &authenticator.ended_presented),
        (&[("credential", "api_key")], &authenticator.api_keys.ended_presented),
    ];
    let samples =
        counts.map(|(labels, count)| Sample::counter(NAME, HELP, labels, count.load(Ordering::Relaxed)));
    samples.to_vec()
}

/// Counts grants that ended because a code or refresh token was used twice. The audit names their
/// clients and people.
fn reused_grants(services: &Services) -> Vec<Sample> {
    const NAME: &str = "latchkey_grants_ended_total";
    const HELP: &str = "People's grants that were revoked because a code or a refresh token was used again.";
    let [by_code, by_refresh_token] = services.tokens.engine.reused_grants().counts();
    vec![
        Sample::counter(NAME, HELP, &[("reason", "code_reused")], by_code),
        Sample::counter(NAME, HELP, &[("reason", "refresh_token_reused")], by_refresh_token),
    ]
}

/// Counts the tokens that clients got for themselves.
fn client_tokens(services: &Services) -> Vec<Sample> {
    const NAME: &str = "latchkey_client_tokens_total";
    const HELP: &str = "Access tokens of client credentials requests: new ones, and reused ones.";
    let [made, reused] = services.tokens.engine.reused_tokens().counts();
    vec![
        Sample::counter(NAME, HELP, &[("token", "new")], made),
        Sample::counter(NAME, HELP, &[("token", "reused")], reused),
    ]
}
