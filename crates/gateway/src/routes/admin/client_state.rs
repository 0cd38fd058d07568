//! `POST …/clients/{client}/suspend|resume`: whether a client may authenticate. Each may be sent again without harm.

use actix_web::http::header::IF_MATCH;
use actix_web::web::Data;

use super::clients::required_permission;
use super::{Answer, names};
use crate::Services;
use crate::authorization::authorize;
use crate::raw_request::RawRequest;
use crate::respond::changed;

/// Stop a client from authenticating.
#[utoipa::path(
    post, path = "/api/v1/tenant/{id}/clients/{client}/suspend", tag = "administration", operation_id = "suspend_client",
    security(("admin_token" = ["latchkey:clients"])),
    params(
        ("id" = String, Path, description = "Tenant id"), ("client" = String, Path, description = "Client id, percent-encoded"),
        ("If-Match" = Option<String>, Header, description = "Only if the client still has this ETag"),
    ),
    responses(
        (status = 200, description = "The client as it is now", body = crate::openapi::administration::Client),
        (status = "4XX", description = "401, 403, 404, 409, 412; 429 for too many writes", body = crate::openapi::administration::Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn suspend(services: Data<Services>, raw: RawRequest) -> Answer {
    let now = (services.clock)();
    let by = authorize(&services, &raw, required_permission(&raw), now).await?;
    let (tenant, client) = (names::tenant(&raw)?, names::client(&raw)?);
    let if_match = raw.list(&IF_MATCH);
    changed(&services.administrator.suspend_client(&by, &tenant, &client, if_match.as_deref(), now).await?)
}

/// Let a suspended client authenticate again.
#[utoipa::path(
    post, path = "/api/v1/tenant/{id}/clients/{client}/resume", tag = "administration", operation_id = "resume_client",
    security(("admin_token" = ["latchkey:clients"])),
    params(
        ("id" = String, Path, description = "Tenant id"), ("client" = String, Path, description = "Client id, percent-encoded"),
        ("If-Match" = Option<String>, Header, description = "Only if the client still has this ETag"),
    ),
    responses(
        (status = 200, description = "The client as it is now", body = crate::openapi::administration::Client),
        (status = "4XX", description = "401, 403, 404, 409, 412; 429 for too many writes", body = crate::openapi::administration::Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn resume(services: Data<Services>, raw: RawRequest) -> Answer {
    let now = (services.clock)();
    let by = authorize(&services, &raw, required_permission(&raw), now).await?;
    let (tenant, client) = (names::tenant(&raw)?, names::client(&raw)?);
    let if_match = raw.list(&IF_MATCH);
    changed(&services.administrator.resume_client(&by, &tenant, &client, if_match.as_deref(), now).await?)
}
