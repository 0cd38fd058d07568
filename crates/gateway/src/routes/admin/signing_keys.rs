//! `/api/v1/tenant/{id}/keys…`: a tenant's signing keys are listed and shown, for holders of `latchkey:keys` at the platform or in the
//! tenant. Private halves are never shown.

use actix_web::http::StatusCode;
use actix_web::web::Data;
use administration::{KeyView, Permission, PublicKeyView};
use schemars::JsonSchema;
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

/// All signing keys of a tenant.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Keys {
    items: Vec<KeyView>,
}

/// A key with its public half.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Key {
    #[serde(flatten)]
    key: KeyView,
    #[serde(flatten)]
    public: PublicKeyView,
}

pub(crate) async fn list(services: Data<Services>, raw: RawRequest) -> Answer {
    let now = (services.clock)();
    let by = authorize(&services, &raw, required_permission(&raw), now).await?;
    let tenant = names::tenant(&raw)?;
    let items = services.administrator.keys(&by, &tenant, now).await?;
    Document::of(StatusCode::OK).body(&Keys { items })
}

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

pub(crate) async fn status(services: Data<Services>, raw: RawRequest) -> Answer {
    let now = (services.clock)();
    let by = authorize(&services, &raw, required_permission(&raw), now).await?;
    let tenant = names::tenant(&raw)?;
    Document::of(StatusCode::OK).body(&services.administrator.key_status(&by, &tenant, now).await?)
}
