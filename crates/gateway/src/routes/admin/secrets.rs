//! `…/clients/{client}/secrets…`: several secrets of a client may be live at once, so that one is replaced without an outage. A value is
//! shown when it is made, and never again.

use actix_web::http::StatusCode;
use actix_web::web::Data;
use administration::{Created, CreatedSecret, SecretView};
use registry::ClientId;
use serde::Serialize;
use tenancy::TenantId;

use super::clients::required_permission;
use super::idempotency::idempotency;
use super::{Answer, names};
use crate::authorization::authorize;
use crate::raw_request::RawRequest;
use crate::respond::Document;
use crate::{Services, documents};

#[derive(Serialize)]
struct Secrets {
    items: Vec<SecretView>,
}

/// List a client's secrets.
#[utoipa::path(
    get, path = "/api/v1/tenant/{id}/clients/{client}/secrets", tag = "administration", operation_id = "list_secrets",
    security(("admin_token" = ["latchkey:clients"])),
    params(("id" = String, Path, description = "Tenant id"), ("client" = String, Path, description = "Client id, percent-encoded")),
    responses(
        (status = 200, description = "All of them, revoked and expired ones too; never a value", body = crate::openapi::administration::Secrets),
        (status = "4XX", description = "401, 403, 404", body = crate::openapi::administration::Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list(services: Data<Services>, raw: RawRequest) -> Answer {
    let now = (services.clock)();
    let by = authorize(&services, &raw, required_permission(&raw), now).await?;
    let (tenant, client) = (names::tenant(&raw)?, names::client(&raw)?);
    let items = services.administrator.secrets(&by, &tenant, &client, now).await?;
    Document::of(StatusCode::OK).body(&Secrets { items })
}

/// Make one more secret.
#[utoipa::path(
    post, path = "/api/v1/tenant/{id}/clients/{client}/secrets", tag = "administration", operation_id = "create_secret",
    security(("admin_token" = ["latchkey:clients"])),
    params(
        ("id" = String, Path, description = "Tenant id"), ("client" = String, Path, description = "Client id, percent-encoded"),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and request within 24 h get the same answer"),
    ),
    request_body(content = crate::openapi::administration::NewSecret, content_type = "application/json", description = "May be left out"),
    responses(
        (status = 201, description = "The secret with its value, shown this once; Location", body = crate::openapi::administration::CreatedSecret),
        (status = "4XX", description = "401, 403, 404; 400 with errors; 409 when as many secrets are live as may be; 422; 429 for too many writes", body = crate::openapi::administration::Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn create(services: Data<Services>, mut raw: RawRequest) -> Answer {
    let now = (services.clock)();
    let by = authorize(&services, &raw, required_permission(&raw), now).await?;
    let (tenant, client) = (names::tenant(&raw)?, names::client(&raw)?);
    let body = raw.json().await?;
    let key = idempotency(&raw, &body)?;
    let settings = documents::new_secret(&body)?;
    let administrator = &services.administrator;
    let made = administrator.create_secret(&by, &tenant, &client, settings, key.as_ref(), now).await?;
    answer(&made, &tenant, &client)
}

/// Replace all secrets by a new one.
#[utoipa::path(
    post, path = "/api/v1/tenant/{id}/clients/{client}/secrets/rotate", tag = "administration", operation_id = "rotate_secret",
    security(("admin_token" = ["latchkey:clients"])),
    params(
        ("id" = String, Path, description = "Tenant id"), ("client" = String, Path, description = "Client id, percent-encoded"),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and request within 24 h get the same answer"),
    ),
    request_body(content = crate::openapi::administration::Rotation, content_type = "application/json", description = "May be left out"),
    responses(
        (status = 201, description = "The new secret with its value, shown this once; the old ones end after the grace; Location", body = crate::openapi::administration::CreatedSecret),
        (status = "4XX", description = "401, 403, 404; 400 with errors; 409 when as many secrets are live as may be; 422; 429 for too many writes", body = crate::openapi::administration::Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn rotate(services: Data<Services>, mut raw: RawRequest) -> Answer {
    let now = (services.clock)();
    let by = authorize(&services, &raw, required_permission(&raw), now).await?;
    let (tenant, client) = (names::tenant(&raw)?, names::client(&raw)?);
    let body = raw.json().await?;
    let key = idempotency(&raw, &body)?;
    let settings = documents::rotation(&body)?;
    let administrator = &services.administrator;
    let made = administrator.rotate_secret(&by, &tenant, &client, settings, key.as_ref(), now).await?;
    answer(&made, &tenant, &client)
}

/// Move a secret's end.
#[utoipa::path(
    patch, path = "/api/v1/tenant/{id}/clients/{client}/secrets/{secret}", tag = "administration", operation_id = "expire_secret",
    security(("admin_token" = ["latchkey:clients"])),
    params(
        ("id" = String, Path, description = "Tenant id"), ("client" = String, Path, description = "Client id, percent-encoded"),
        ("secret" = String, Path, description = "Secret id"),
    ),
    request_body(content = crate::openapi::administration::NewSecret, content_type = "application/json", description = "expires_at is needed; null: it never ends"),
    responses(
        (status = 200, description = "The secret as it is now", body = crate::openapi::administration::Secret),
        (status = "4XX", description = "401, 403, 404; 400 with errors; 409 for a revoked secret; 429 for too many writes", body = crate::openapi::administration::Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn expire(services: Data<Services>, mut raw: RawRequest) -> Answer {
    let now = (services.clock)();
    let by = authorize(&services, &raw, required_permission(&raw), now).await?;
    let (tenant, client) = (names::tenant(&raw)?, names::client(&raw)?);
    let secret = names::secret(&raw)?;
    let end = documents::secret_end(&raw.json().await?)?;
    let view = services.administrator.expire_secret(&by, &tenant, &client, &secret, end, now).await?;
    Document::of(StatusCode::OK).body(&view)
}

/// End a secret at once.
#[utoipa::path(
    delete, path = "/api/v1/tenant/{id}/clients/{client}/secrets/{secret}", tag = "administration", operation_id = "revoke_secret",
    security(("admin_token" = ["latchkey:clients"])),
    params(
        ("id" = String, Path, description = "Tenant id"), ("client" = String, Path, description = "Client id, percent-encoded"),
        ("secret" = String, Path, description = "Secret id"),
    ),
    responses(
        (status = 200, description = "The secret as it is now; it stays in the list", body = crate::openapi::administration::Secret),
        (status = "4XX", description = "401, 403, 404; 429 for too many writes", body = crate::openapi::administration::Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn revoke(services: Data<Services>, raw: RawRequest) -> Answer {
    let now = (services.clock)();
    let by = authorize(&services, &raw, required_permission(&raw), now).await?;
    let (tenant, client) = (names::tenant(&raw)?, names::client(&raw)?);
    let secret = names::secret(&raw)?;
    let view = services.administrator.revoke_secret(&by, &tenant, &client, &secret, now).await?;
    Document::of(StatusCode::OK).body(&view)
}

fn answer(made: &Created<CreatedSecret>, tenant: &TenantId, client: &ClientId) -> Answer {
    let location = names::secret_location(tenant, client, &made.value.secret.id);
    Document::of(StatusCode::CREATED).made(&location, made.replayed).body(&made.value)
}
