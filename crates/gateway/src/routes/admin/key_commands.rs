//! What an operator commands of a tenant's signing keys: rotate, import, revoke. What breaks tokens that are alive says so first, and is
//! done only for who has said that he knows.

use actix_web::http::StatusCode;
use actix_web::web::Data;
use administration::{KeysChanged, Permission};
use keys::KeyId;

use super::idempotency::idempotency;
use super::query::Query;
use super::signing_keys::required_permission;
use super::{Answer, names};
use crate::authorization::{RequiredPermission, authorize};
use crate::raw_request::RawRequest;
use crate::respond::{Document, Problem};
use crate::{Services, documents};

const CONFIRM_EMERGENCY: &str = "A new key signs at once and all others are gone at once: verifiers refuse the tokens in breaks, \
     and may refuse new ones until they fetch the keys again. Send {\"emergency\": true, \"confirm\": true} to do it";
const CONFIRM_REVOCATION: &str = "The key is gone at once: verifiers refuse the tokens in breaks. Send it again with ?confirm=true to do it";

/// Replace the key that signs.
#[utoipa::path(
    post, path = "/api/v1/tenant/{id}/keys/rotate", tag = "administration", operation_id = "rotate_key",
    security(("admin_token" = ["latchkey:keys"])),
    params(
        ("id" = String, Path, description = "Tenant id"),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and request within 24 h get the same answer"),
    ),
    request_body(content = crate::openapi::administration::KeyRotation, content_type = "application/json", description = "May be left out"),
    responses(
        (status = 200, description = "The keys as they are now: the next one takes over when it has been published for publish_before; in an emergency at once, and all others are gone", body = crate::openapi::administration::KeysChanged),
        (status = 409, description = "An emergency that is not confirmed: breaks says whose tokens are refused from then on", body = crate::openapi::administration::Problem, content_type = "application/problem+json"),
        (status = "4XX", description = "401, 403, 404; 400 with errors; 422; 429 for too many writes", body = crate::openapi::administration::Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn rotate(services: Data<Services>, mut raw: RawRequest) -> Answer {
    let now = (services.clock)();
    let by = authorize(&services, &raw, required_permission(&raw), now).await?;
    let tenant = names::tenant(&raw)?;
    let body = raw.json().await?;
    let once = idempotency(&raw, &body)?;
    let rotation = documents::key_rotation(&body)?;
    let administrator = &services.administrator;
    if rotation.emergency && !rotation.confirm {
        let breaks = administrator.key_effects(&by, &tenant, None, now).await?;
        return Err(Problem::confirmation_needed(CONFIRM_EMERGENCY, breaks));
    }
    let changed = if rotation.emergency {
        administrator.rotate_key_in_emergency(&by, &tenant, once.as_ref(), now).await?
    } else {
        administrator.rotate_key(&by, &tenant, once.as_ref(), now).await?
    };
    Document::of(StatusCode::OK).replayed(changed.replayed).body(&changed.value)
}

/// Bring a key in.
#[utoipa::path(
    post, path = "/api/v1/tenant/{id}/keys", tag = "administration", operation_id = "import_key",
    security(("admin_token" = ["latchkey:tenants"])),
    params(
        ("id" = String, Path, description = "Tenant id"),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and request within 24 h get the same answer"),
    ),
    request_body(content = crate::openapi::administration::NewKey, content_type = "application/json"),
    responses(
        (status = 201, description = "The keys as they are now: it takes over when it has been published for publish_before; Location", body = crate::openapi::administration::KeysChanged),
        (status = "4XX", description = "401, 404; 403, for the tenant platform always; 400 with errors for what is no private key that can be used, or is of another algorithm than the tenant signs with; 409 for a key that it has or had, or that would keep an announced one from ever signing; 422; 429 for too many writes", body = crate::openapi::administration::Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn import(services: Data<Services>, mut raw: RawRequest) -> Answer {
    let now = (services.clock)();
    let required = RequiredPermission::Tenant(names::tenant_name(&raw), Permission::Tenants);
    let by = authorize(&services, &raw, required, now).await?;
    let tenant = names::tenant(&raw)?;
    let body = raw.json().await?;
    let once = idempotency(&raw, &body)?;
    let settings = documents::key_import(&body)?;
    let changed = services.administrator.import_key(&by, &tenant, settings, once.as_ref(), now).await?;
    let mut made = Document::of(StatusCode::CREATED);
    if let Some(key) = newest(&changed.value) {
        made = made.made(&names::key_location(&tenant, key), changed.replayed);
    }
    made.body(&changed.value)
}

/// Take a key away at once.
#[utoipa::path(
    delete, path = "/api/v1/tenant/{id}/keys/{kid}", tag = "administration", operation_id = "revoke_key",
    security(("admin_token" = ["latchkey:keys"])),
    params(
        ("id" = String, Path, description = "Tenant id"), ("kid" = String, Path, description = "As oauth2-key-1"),
        ("confirm" = Option<bool>, Query, description = "The asker knows what it breaks"),
    ),
    responses(
        (status = 200, description = "The keys as they are now; if it signed, another one signs at once", body = crate::openapi::administration::KeysChanged),
        (status = 409, description = "Not confirmed: breaks says whose tokens are refused from then on. Or it is removed already", body = crate::openapi::administration::Problem, content_type = "application/problem+json"),
        (status = "4XX", description = "401, 403, 404; 429 for too many writes", body = crate::openapi::administration::Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn revoke(services: Data<Services>, raw: RawRequest) -> Answer {
    let now = (services.clock)();
    let by = authorize(&services, &raw, required_permission(&raw), now).await?;
    let (tenant, key) = (names::tenant(&raw)?, names::key(&raw)?);
    let mut query = Query::of(&raw)?;
    let confirmed = query.flag("confirm");
    query.finish()?;
    let administrator = &services.administrator;
    if !confirmed {
        let breaks = administrator.key_effects(&by, &tenant, Some(key), now).await?;
        return Err(Problem::confirmation_needed(CONFIRM_REVOCATION, breaks));
    }
    Document::of(StatusCode::OK).body(&administrator.revoke_key(&by, &tenant, key, now).await?)
}

/// Numbers are counted up, so the key that came last has the highest.
fn newest(changed: &KeysChanged) -> Option<KeyId> {
    changed.items.iter().filter_map(|key| KeyId::parse(&key.kid)).max()
}
