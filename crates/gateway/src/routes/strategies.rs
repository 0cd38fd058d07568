//! `GET …/strategies`: what a tenant offers.

use actix_web::HttpResponse;
use actix_web::web::Data;
use serde::Serialize;
use tenancy::Tenant;

use super::tenant_name;
use crate::Services;
use crate::raw_request::RawRequest;
use crate::respond::{OAuthError, fresh_json};
use crate::server::DefaultTenant;

#[derive(Serialize)]
struct Answer<'a> {
    tenant_id: &'a str,
    tenant_name: &'a str,
    strategies: Vec<Strategy>,
}

#[derive(Serialize)]
struct Strategy {
    name: &'static str,
    r#type: &'static str,
}

/// List the strategies that a tenant has enabled.
#[utoipa::path(
    get, path = "/api/v1/tenant/{id}/strategies", tag = "discovery",
    params(("id" = String, Path, description = "Tenant id")),
    responses(
        (status = 200, description = "The strategies, in the order oauth2, oidc", body = crate::openapi::Strategies),
        (status = 404, description = "Unknown or suspended tenant", body = crate::openapi::Error),
    )
)]
pub(crate) async fn strategies(
    services: Data<Services>,
    default_tenant: Data<DefaultTenant>,
    raw: RawRequest,
) -> Result<HttpResponse, OAuthError> {
    let tenant = services.tenants.resolve(tenant_name(&raw, &default_tenant)).await?;
    raw.log(|fields| fields.tenant = Some(tenant.id.clone()));
    fresh_json(&Answer {
        tenant_id: tenant.id.as_str(),
        tenant_name: &tenant.name,
        strategies: enabled(&tenant),
    })
}

fn enabled(tenant: &Tenant) -> Vec<Strategy> {
    let oauth2 = Strategy { name: "oauth2", r#type: "OAuth2 Authorization Server" };
    let oidc = Strategy { name: "oidc", r#type: "OpenID Connect Provider" };
    [(tenant.strategies.oauth2, oauth2), (tenant.strategies.oidc, oidc)]
        .into_iter()
        .filter_map(|(enabled, strategy)| enabled.then_some(strategy))
        .collect()
}
