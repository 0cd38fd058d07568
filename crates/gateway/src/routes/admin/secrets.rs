//! `…/clients/{client}/secrets…`: several secrets of a client may be live at once, so that one is replaced without an outage. A value is
//! shown when it is made, and never again.

use actix_web::http::StatusCode;
use actix_web::web::Data;
use administration::{Created, CreatedSecret, SecretView};
use registry::ClientId;
use schemars::JsonSchema;
use serde::Serialize;
use tenancy::TenantId;

use super::clients::required_permission;
use super::idempotency::idempotency;
use super::{Answer, names};
use crate::authorization::authorize;
use crate::raw_request::RawRequest;
use crate::respond::Document;
use crate::{Services, documents};

/// All secrets of a client.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Secrets {
    items: Vec<SecretView>,
}

pub(crate) async fn list(services: Data<Services>, raw: RawRequest) -> Answer {
    let now = (services.clock)();
    let by = authorize(&services, &raw, required_permission(&raw), now).await?;
    let (tenant, client) = (names::tenant(&raw)?, names::client(&raw)?);
    let items = services.administrator.secrets(&by, &tenant, &client, now).await?;
    Document::of(StatusCode::OK).body(&Secrets { items })
}

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

pub(crate) async fn expire(services: Data<Services>, mut raw: RawRequest) -> Answer {
    let now = (services.clock)();
    let by = authorize(&services, &raw, required_permission(&raw), now).await?;
    let (tenant, client) = (names::tenant(&raw)?, names::client(&raw)?);
    let secret = names::secret(&raw)?;
    let end = documents::secret_end(&raw.json().await?)?;
    let view = services.administrator.expire_secret(&by, &tenant, &client, &secret, end, now).await?;
    Document::of(StatusCode::OK).body(&view)
}

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
