//! `GET …/.well-known/jwks.json`: a tenant's public keys (RFC 7517 §5), prebuilt and served as they are.

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::http::header::{CACHE_CONTROL, ContentType, ETAG, IF_NONE_MATCH};
use actix_web::web::{Bytes, Data};
use tenancy::Tenant;

use super::tenant_name;
use crate::Services;
use crate::incoming::Incoming;
use crate::respond::{Refusal, names_tag};
use crate::server::DefaultTenant;

/// Fetch a tenant's public keys.
#[utoipa::path(
    get, path = "/api/v1/tenant/{id}/.well-known/jwks.json", tag = "discovery",
    params(("id" = String, Path, description = "Tenant id. The default tenant is also served at /oauth2/jwks.")),
    responses(
        (status = 200, description = "The key set; ETag and Cache-Control say how long to keep it", body = crate::openapi::JwkSet),
        (status = 304, description = "If-None-Match names the present key set"),
        (status = 404, description = "Unknown tenant", body = crate::openapi::Error),
    )
)]
pub(crate) async fn jwks(
    services: Data<Services>,
    default_tenant: Data<DefaultTenant>,
    incoming: Incoming,
) -> Result<HttpResponse, Refusal> {
    let now = (services.clock)();
    let name = tenant_name(&incoming, &default_tenant);
    let tenant = services.tenants.resolve_key_publisher(name, now).await?;
    incoming.note(|notes| notes.tenant = Some(tenant.id.clone()));
    let set = services.keys.ring(&tenant, now).await?.jwk_set(now);
    let known = incoming.list(&IF_NONE_MATCH).is_some_and(|tags| names_tag(&tags, set.etag()));
    let mut response = if known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response.insert_header((ETAG, set.etag())).insert_header((CACHE_CONTROL, cache_control(&tenant)));
    if known {
        return Ok(response.finish());
    }
    Ok(response.insert_header(ContentType::json()).body(Bytes::from_owner(Arc::clone(set.json()))))
}

fn cache_control(tenant: &Tenant) -> String {
    let policy = &tenant.signing;
    let (max_age, stale) = (policy.jwks_max_age.seconds(), policy.jwks_stale.seconds());
    format!("public, max-age={max_age}, stale-while-revalidate={stale}")
}
