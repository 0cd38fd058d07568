//! `GET …/strategies`: the strategies that a tenant offers.

use actix_web::web::Data;
use administration::schema::JsonSchema;
use serde::Serialize;
use tenancy::Tenant;

use crate::Services;
use crate::request::RawRequest;
use crate::respond::{OAuthResult, fresh_json};

/// What a tenant offers.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Strategies")]
pub(crate) struct StrategyAnswer<'a> {
    #[schemars(example = &"test-tenant")]
    tenant_id: &'a str,
    #[schemars(example = &"Test Tenant")]
    tenant_name: &'a str,
    strategies: Vec<Strategy>,
}

/// One strategy.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Strategy {
    #[schemars(example = &"oauth2", extend("enum" = ["oauth2", "oidc"]))]
    name: &'static str,
    #[schemars(example = &"OAuth2 Authorization Server")]
    r#type: &'static str,
}

pub(crate) async fn strategies(services: Data<Services>, raw: RawRequest) -> OAuthResult {
    let tenant = services.tokens.tenants.resolve(raw.tenant_or_default()).await?;
    raw.log(|fields| fields.tenant = Some(tenant.id.clone()));
    fresh_json(&StrategyAnswer {
        tenant_id: tenant.id.as_str(),
        tenant_name: &tenant.name,
        strategies: enabled(&tenant),
    })
}

fn enabled(tenant: &Tenant) -> Vec<Strategy> {
    let oauth2 = Strategy { name: "oauth2", r#type: "OAuth2 Authorization Server" };
    let oidc = Strategy { name: "oidc", r#type: "OpenID Connect Provider" };
    // A provider is an authorization server first.
    [(tenant.strategies.oauth2, oauth2), (tenant.strategies.oauth2 && tenant.strategies.oidc, oidc)]
        .into_iter()
        .filter_map(|(enabled, strategy)| enabled.then_some(strategy))
        .collect()
}
