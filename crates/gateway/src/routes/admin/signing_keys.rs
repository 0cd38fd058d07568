//! `/api/v1/tenant/{id}/keys…`: a tenant's signing keys are looked at, by whoever holds `latchkey:keys` at the platform or in the
//! tenant. Private halves are never shown.

use actix_web::http::StatusCode;
use actix_web::web::Data;
use administration::{KeyView, Permission, PublicKeyView};
use serde::Serialize;

use super::Answer;
use super::names::{self, tenant_name};
use super::query::Query;
use crate::Services;
use crate::authorization::{RequiredPermission, authorize};
use crate::raw_request::RawRequest;
use crate::respond::{Document, Problem, looked_at, looked_at_as};

pub(super) fn required_permission(raw: &RawRequest) -> RequiredPermission<'_> {
    RequiredPermission::Tenant(tenant_name(raw), Permission::Keys)
}

#[derive(Serialize)]
struct Keys {
    items: Vec<KeyView>,
}

/// A key with its public half.
#[derive(Serialize)]
struct Key {
    #[serde(flatten)]
    key: KeyView,
    #[serde(flatten)]
    public: PublicKeyView,
}

/// List a tenant's signing keys.
#[utoipa::path(
    get, path = "/api/v1/tenant/{id}/keys", tag = "administration", operation_id = "list_keys",
    security(("admin_token" = ["latchkey:keys"])),
    params(("id" = String, Path, description = "Tenant id")),
    responses(
        (status = 200, description = "All of them, in the order of their numbers, removed ones too", body = crate::openapi::administration::Keys),
        (status = "4XX", description = "401, 403, 404", body = crate::openapi::administration::Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list(services: Data<Services>, raw: RawRequest) -> Answer {
    let now = (services.clock)();
    let by = authorize(&services, &raw, required_permission(&raw), now).await?;
    let tenant = names::tenant(&raw)?;
    let items = services.administrator.keys(&by, &tenant, now).await?;
    Document::of(StatusCode::OK).body(&Keys { items })
}

/// Look at a signing key.
#[utoipa::path(
    get, path = "/api/v1/tenant/{id}/keys/{kid}", tag = "administration", operation_id = "get_key",
    security(("admin_token" = ["latchkey:keys"])),
    params(
        ("id" = String, Path, description = "Tenant id"), ("kid" = String, Path, description = "As oauth2-key-1"),
        ("format" = Option<String>, Query, description = "jwk or pem: the public half alone"),
    ),
    responses(
        (status = 200, description = "The key with its public half; ETag", content(
            (crate::openapi::administration::Key = "application/json"),
            (std::collections::BTreeMap<String, String> = "application/jwk+json"),
            (String = "application/x-pem-file"),
        )),
        (status = 304, description = "If-None-Match names what it is"),
        (status = "4XX", description = "401, 403, 404; 400 for another format", body = crate::openapi::administration::Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn look(services: Data<Services>, raw: RawRequest) -> Answer {
    let now = (services.clock)();
    let by = authorize(&services, &raw, required_permission(&raw), now).await?;
    let (tenant, key) = (names::tenant(&raw)?, names::key(&raw)?);
    let mut query = Query::of(&raw)?;
    let format = query.text("format");
    if format.as_deref().is_some_and(|format| !["jwk", "pem"].contains(&format)) {
        query.fault("format", "must be jwk or pem");
    }
    query.finish()?;
    let (key, public) = services.administrator.public_key(&by, &tenant, key, now).await?;
    match format.as_deref() {
        Some("jwk") => {
            let jwk = serde_json::to_string(&public.jwk).map_err(|error| Problem::fault(&error))?;
            Ok(looked_at_as(&raw, "application/jwk+json", jwk))
        }
        Some(_) => Ok(looked_at_as(&raw, "application/x-pem-file", public.pem)),
        None => looked_at(&raw, &Key { key, public }),
    }
}

/// Ask which keys verifiers have.
#[utoipa::path(
    get, path = "/api/v1/tenant/{id}/keys/status", tag = "administration", operation_id = "get_key_status",
    security(("admin_token" = ["latchkey:keys"])),
    params(("id" = String, Path, description = "Tenant id")),
    responses(
        (status = 200, description = "The key that signs, the one that is announced, and who has fetched it", body = crate::openapi::administration::KeyStatus),
        (status = "4XX", description = "401, 403, 404", body = crate::openapi::administration::Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn status(services: Data<Services>, raw: RawRequest) -> Answer {
    let now = (services.clock)();
    let by = authorize(&services, &raw, required_permission(&raw), now).await?;
    let tenant = names::tenant(&raw)?;
    Document::of(StatusCode::OK).body(&services.administrator.key_status(&by, &tenant, now).await?)
}
