//! `…/clients/{client}/secrets…`: several secrets of a client may be live at once, so that one is replaced without an outage. The value
//! is shown when the secret is created, and never again.

use actix_web::http::StatusCode;
use administration::{Created, CreatedSecret, NewSecretSettings, RotateSettings, SecretStep, SecretView};
use registry::{ClientId, SecretId};
use schemars::JsonSchema;
use serde::Serialize;
use tenancy::TenantId;

use super::admin_request::AdminRequest;
use super::{Answer, names};
use crate::documents;
use crate::respond::Document;

/// All secrets of a client.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Secrets {
    items: Vec<SecretView>,
}

pub(crate) async fn list(request: AdminRequest<(TenantId, ClientId)>) -> Answer {
    let AdminRequest { administrator, caller, target: (tenant, client), .. } = &request;
    let items = administrator.secrets(caller, tenant, client).await?;
    Document::of(StatusCode::OK).body(&Secrets { items })
}

pub(crate) async fn create(mut request: AdminRequest<(TenantId, ClientId)>) -> Answer {
    let settings = request.creation(NewSecretSettings::read).await?;
    let AdminRequest { administrator, caller, target: (tenant, client), .. } = &request;
    let made = administrator.create_secret(caller, tenant, client, settings).await?;
    answer(&made, tenant, client)
}

pub(crate) async fn rotate(mut request: AdminRequest<(TenantId, ClientId)>) -> Answer {
    let settings = request.creation(RotateSettings::read).await?;
    let AdminRequest { administrator, caller, target: (tenant, client), .. } = &request;
    let made = administrator.rotate_secret(caller, tenant, client, settings).await?;
    answer(&made, tenant, client)
}

pub(crate) async fn expire(mut request: AdminRequest<(TenantId, ClientId, SecretId)>) -> Answer {
    let end = documents::read(&request.raw.json().await?, documents::secret_end)?;
    let AdminRequest { administrator, caller, target: (tenant, client, secret), .. } = &request;
    let view = administrator.step_secret(caller, tenant, client, secret, SecretStep::Expire(end)).await?;
    Document::of(StatusCode::OK).body(&view)
}

pub(crate) async fn revoke(request: AdminRequest<(TenantId, ClientId, SecretId)>) -> Answer {
    let AdminRequest { administrator, caller, target: (tenant, client, secret), .. } = &request;
    let view = administrator.step_secret(caller, tenant, client, secret, SecretStep::Revoke).await?;
    Document::of(StatusCode::OK).body(&view)
}

fn answer(made: &Created<CreatedSecret>, tenant: &TenantId, client: &ClientId) -> Answer {
    let location = names::secret_location(tenant, client, &made.value.secret.id);
    Document::of(StatusCode::CREATED).made(&location, made.replayed).body(&made.value)
}
