//! `GET /api/v1/protected-resource`: a sample resource server, to try a token at (RFC 6750, RFC 9068 §4).

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::web::Data;
use grants::{AccessTokenClaims, BearerError, ProtectedResource};
use protocol::{PresentedToken, ScopeToken};
use schemars::JsonSchema;
use serde::Serialize;
use tenancy::{Tenant, TenantError};

use crate::Services;
use crate::failure::Failure;
use crate::options::SampleResource;
use crate::raw_request::RawRequest;
use crate::respond::{OAuthError, secret_json};
use crate::sender;

/// Not a name from configuration: those may hold what a quoted string may not.
const REALM: &str = "protected-resource";

/// The sample resource server's response.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Sample")]
pub(crate) struct Answer<'a> {
    #[schemars(example = &"Protected resource data")]
    data: &'static str,
    tenant: &'a str,
    caller: Caller<'a>,
    scopes: Vec<&'a str>,
}

/// The bearer.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Caller<'a> {
    /// `machine` where the token speaks for the client itself.
    #[schemars(example = &"machine", extend("enum" = ["machine", "user"]))]
    r#type: &'static str,
    client_id: &'a str,
}

pub(crate) async fn protected_resource(
    services: Data<Services>,
    resource: Data<SampleResource>,
    raw: RawRequest,
) -> Result<HttpResponse, OAuthError> {
    let Some(resource) = &resource.0 else { return Err(Failure::UnknownPath.into()) };
    let token = PresentedToken::from_authorization(raw.authorization()?)
        .ok_or_else(|| OAuthError::bearer_required(REALM))?;
    let (tenant, claims) = authorize(&services, resource, &token, &raw).await.map_err(|refusal| {
        let scope = resource.required_scope.as_ref().map(ScopeToken::as_str);
        refusal.in_resource_realm(token.scheme, REALM, scope)
    })?;
    let mut response = secret_json(&Answer {
        data: "Protected resource data",
        tenant: &resource.tenant,
        caller: Caller {
            r#type: if claims.sub == claims.client_id { "machine" } else { "user" },
            client_id: &claims.client_id,
        },
        scopes: claims.scope.as_deref().unwrap_or_default().split_whitespace().collect(),
    })?;
    sender::supply_nonce(&services, &tenant, &raw, &mut response);
    Ok(response)
}

async fn authorize(
    services: &Services,
    resource: &ProtectedResource,
    token: &PresentedToken,
    raw: &RawRequest,
) -> Result<(Arc<Tenant>, AccessTokenClaims<'static>), OAuthError> {
    let tenant = services.tenants.resolve(&resource.tenant).await.map_err(|error| match error {
        TenantError::Unknown | TenantError::Suspended(_) | TenantError::StrategyNotEnabled(_) => {
            BearerError::TenantSuspended.into()
        }
        TenantError::Store(_) => OAuthError::from(error),
    })?;
    raw.log(|fields| fields.tenant = Some(tenant.id.clone()));
    let now = (services.clock)();
    let admitted = services.engine.admit(&tenant, token, resource, now).await?;
    let claims = sender::confirm(services, &tenant, raw, token, admitted, now).await?;
    raw.log(|fields| fields.client = registry::ClientId::parse(&claims.client_id).ok());
    Ok((tenant, claims))
}
