//! `GET …/usage`: the counts of events of the platform, a tenant or a client.

use actix_web::http::StatusCode;
use administration::administrator::UsageQuery;
use administration::documents::{UsagePeriod, UsageView};
use administration::edit::EditError;
use administration::kinds::Permission::Audit;
use administration::store::UsageOf;
use registry::ClientId;
use serde_json::{Value, json};
use tenancy::TenantId;

use super::Answer;
use super::admin_request::AdminRequest;
use super::endpoint::at;
use super::query::Query;
use crate::openapi::HttpMethod::Get;
use crate::openapi::Operation;
use crate::respond::ResponseDocument;

pub(crate) fn endpoints() -> Vec<Operation> {
    vec![
        spanned(at(Get, "/api/v1/admin/usage", Audit, of_platform))
            .named("read_usage", "Get the usage of all tenants together, and the busiest tenants."),
        spanned(at(Get, "/api/v1/tenant/{id}/usage", Audit, of_tenant))
            .named("read_tenant_usage", "Get the usage of a tenant, and its busiest clients."),
        spanned(at(Get, "/api/v1/tenant/{id}/clients/{client}/usage", Audit, of_client))
            .named("read_client_usage", "Get the usage of a client."),
    ]
}

/// Parses the time span of a client's own usage request.
pub(crate) fn span_of_form(body: &[u8]) -> Result<UsageQuery, EditError> {
    Query::read(std::str::from_utf8(body).unwrap_or_default(), take_span)
}

fn take_span(query: &mut Query<'_>) -> UsageQuery {
    let period = |text: &str| {
        let found = UsagePeriod::NAMED.into_iter().find(|(name, _)| *name == text);
        found.map(|(_, period)| period).ok_or("must be hour or day")
    };
    UsageQuery {
        since: query.instant("since"),
        until: query.instant("until"),
        by: query.parsed("by", period),
    }
}

async fn of_platform(request: AdminRequest<()>) -> Answer {
    answer(&request, UsageOf::Platform).await
}

async fn of_tenant(request: AdminRequest<TenantId>) -> Answer {
    answer(&request, UsageOf::Tenant(&request.target)).await
}

async fn of_client(request: AdminRequest<(TenantId, ClientId)>) -> Answer {
    let (tenant, client) = &request.target;
    answer(&request, UsageOf::Client(tenant, client)).await
}

async fn answer<T>(request: &AdminRequest<T>, of: UsageOf<'_>) -> Answer {
    let query = request.query(take_span)?;
    let usage = request.administrator.usage(&request.caller, of, query).await?;
    ResponseDocument::from_status(StatusCode::OK).body(&usage)
}

const SINCE: &str =
    "From the hour or day of this instant, RFC 3339. Default: the last seven days, or 24 hours";
const UNTIL: &str = "Until the end of the hour or day before this instant, RFC 3339. Default: now";
const BY: &str = "Length of each period, UTC. Default: day. Hours and a client's days are kept for 35 days, \
    a tenant's days for 400";

/// Adds the parameters of the time span.
fn spanned(operation: Operation) -> Operation {
    operation
        .query("string", "since", SINCE)
        .query("string", "until", UNTIL)
        .choice("by", &UsagePeriod::NAMES, BY)
        .naming(&[
            ("since", SINCE, "2030-01-01T00:00:00Z"),
            ("until", UNTIL, "2030-02-01T00:00:00Z"),
            ("by", BY, "day"),
        ])
        .answer::<UsageView>("200", "The counts, at most one minute old")
        .answer_example(example)
}

pub(crate) fn example() -> Value {
    let sums = json!({
        "issued": 1204, "api_keys_exchanged": 40, "introspected": 310, "revoked": 2, "signed_in": 0, "refused": 3,
        "refused_by_reason": { "wrong_secret": 3 }, "scopes_asked": { "orders:read": 1180 },
    });
    let mut day = sums.clone();
    day["start"] = "2030-01-31T00:00:00Z".into();
    json!({
        "since": "2030-01-31T00:00:00Z", "until": "2030-02-01T00:00:00Z", "by": "day",
        "total": sums, "periods": [day],
    })
}
