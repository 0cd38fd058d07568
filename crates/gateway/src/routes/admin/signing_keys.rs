//! `/api/v1/tenant/{id}/keys…`: show a tenant's signing keys, with `latchkey:keys` of the platform or of the tenant. Private halves are
//! never shown.

use actix_web::http::StatusCode;
use administration::{KeyView, PublicKeyView};
use keys::KeyId;
use schemars::JsonSchema;
use serde::Serialize;
use tenancy::TenantId;

use super::Answer;
use super::admin_request::AdminRequest;
use crate::respond::{Document, Problem, looked_at, looked_at_as};

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

pub(crate) async fn list(request: AdminRequest<TenantId>) -> Answer {
    let AdminRequest { administrator, caller, target: tenant, .. } = &request;
    let items = administrator.keys(caller, tenant).await?;
    Document::of(StatusCode::OK).body(&Keys { items })
}

pub(crate) async fn look(request: AdminRequest<(TenantId, KeyId)>) -> Answer {
    let known = |format: &str| match format {
        "jwk" | "pem" => Ok(format.to_owned()),
        _ => Err("must be jwk or pem"),
    };
    let format = request.query(|query| query.parsed("format", known))?;
    let AdminRequest { administrator, caller, target: (tenant, key), raw, .. } = &request;
    let (key, public) = administrator.public_key(caller, tenant, *key).await?;
    match format.as_deref() {
        Some("jwk") => {
            let jwk = serde_json::to_string(&public.jwk).map_err(|error| Problem::fault(&error))?;
            Ok(looked_at_as(raw, "application/jwk+json", jwk))
        }
        Some(_) => Ok(looked_at_as(raw, "application/x-pem-file", public.pem)),
        None => looked_at(raw, &Key { key, public }),
    }
}

pub(crate) async fn status(request: AdminRequest<TenantId>) -> Answer {
    let AdminRequest { administrator, caller, target: tenant, .. } = &request;
    Document::of(StatusCode::OK).body(&administrator.key_status(caller, tenant).await?)
}
