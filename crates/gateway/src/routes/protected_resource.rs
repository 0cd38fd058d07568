//! `GET /api/v1/protected-resource`: a sample resource server (RFC 6750, RFC 9068 §4).

use actix_web::web::Data;
use administration::documents::schema::JsonSchema;
use grants::ResourceRequirement;
use protocol::{PresentedToken, Scope};
use serde::Serialize;

use crate::request::{RawRequest, ServerFailure, TenantRequest};
use crate::respond::{OAuthError, OAuthResult, secret_json};
use crate::{Options, Services};

/// A constant, because a configured name may contain characters that a quoted string cannot.
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

/// The holder of the token.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Caller<'a> {
    /// `machine` if the token is the client's own.
    #[schemars(example = &"machine", extend("enum" = ["machine", "user"]))]
    r#type: &'static str,
    client_id: &'a str,
}

pub(crate) async fn protected_resource(
    services: Data<Services>,
    options: Data<Options>,
    raw: RawRequest,
) -> OAuthResult {
    let Some(resource) = &options.protected_resource else { return Err(ServerFailure::UnknownPath.into()) };
    let token = PresentedToken::from_authorization(raw.authorization()?)
        .ok_or_else(|| OAuthError::bearer_required(REALM))?;
    answer(&services, resource, &token, &raw).await.map_err(|refusal| {
        let scope = Scope::text(resource.required_scope.iter());
        refusal.in_resource_realm(token.scheme, REALM, scope.as_deref())
    })
}

async fn answer(
    services: &Services,
    resource: &ResourceRequirement,
    token: &PresentedToken,
    raw: &RawRequest,
) -> OAuthResult {
    let tenant = services.tokens.tenants.resolve(&resource.tenant).await;
    let tenant = tenant.map_err(OAuthError::of_resource_tenant)?;
    raw.log(|fields| fields.tenant = Some(tenant.id.clone()));
    let request = TenantRequest { services, tenant: &tenant, raw, now: (services.clock)() };
    let admitted = request.admit(token, resource).await?;
    let claims = request.confirm(token, admitted).await?;
    raw.log(|fields| fields.client = registry::ClientId::parse(&claims.client_id).ok());
    let mut response = secret_json(&Answer {
        data: "Protected resource data",
        tenant: &resource.tenant,
        caller: Caller {
            r#type: if claims.sub == claims.client_id { "machine" } else { "user" },
            client_id: &claims.client_id,
        },
        scopes: claims.scope.as_deref().unwrap_or_default().split_whitespace().collect(),
    })?;
    request.supply_nonce(&mut response);
    Ok(response)
}
