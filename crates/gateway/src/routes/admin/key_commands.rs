//! Commands on a tenant's signing keys: rotate, import, revoke. A command that breaks live tokens first shows
//! what it would break, and needs a confirmation.

use actix_web::http::StatusCode;
use administration::Permission::{Keys, Tenants};
use administration::{ImportSettings, KeyCommand, KeysChanged};
use keys::Kid;
use serde_json::json;
use tenancy::TenantId;

use super::admin_request::AdminRequest;
use super::endpoint::at;
use super::{Answer, signing_keys};
use crate::documents::KeyRotation;
use crate::openapi::HttpMethod::{Delete, Post};
use crate::openapi::Operation;
use crate::request::JSON;
use crate::respond::{Problem, ResponseDocument};

const CONFIRM_EMERGENCY: &str = "A new key signs at once and all others are gone at once: verifiers refuse the tokens in breaks, \
     and may refuse new ones until they fetch the keys again. Send {\"emergency\": true, \"confirm\": true} to do it";
const CONFIRM_REVOCATION: &str = "The key is gone at once: verifiers refuse the tokens in breaks. Send it again with ?confirm=true to do it";

pub(crate) fn endpoints() -> Vec<Operation> {
    vec![
        at(Post, "/api/v1/tenant/{id}/keys/rotate", Keys, rotate)
            .named("rotate_key", "Replace the key that signs.")
            .idempotent()
            .optional_body::<KeyRotation>(JSON, "May be left out")
            .answer::<KeysChanged>(
                "200",
                "The keys as they are now: the next one takes over when it has been published \
                    for publish_before; in an emergency at once, and all others are gone",
            )
            .error(
                "409",
                "An emergency that is not confirmed: breaks says whose tokens are refused \
                    from then on",
            )
            .request_example(|| json!({ "emergency": false }))
            .answer_example(|| json!({ "items": [signing_keys::example()], "breaks": [] })),
        at(Post, "/api/v1/tenant/{id}/keys", Tenants, import)
            .named("import_key", "Bring a key in.")
            .idempotent()
            .body::<ImportSettings>(JSON, None)
            .answer::<KeysChanged>(
                "201",
                "The keys as they are now: it takes over when it has been published for \
                    publish_before; Location",
            )
            .error(
                "400",
                "It is no private key that can be used, or is of another algorithm than the \
                    tenant signs with; errors says which",
            )
            .error("403", "The token lacks the scope; for the tenant platform always")
            .error(
                "409",
                "The tenant has or had the key, or it would keep an announced one from ever \
                    signing",
            )
            .request_example(|| {
                json!({
                    "key": "-----BEGIN PRIVATE KEY-----\n…\n-----END PRIVATE KEY-----\n",
                    "algorithm": "RS256",
                })
            }),
        at(Delete, "/api/v1/tenant/{id}/keys/{kid}", Keys, revoke)
            .named("revoke_key", "Take a key away at once.")
            .query("boolean", "confirm", "The asker knows what it breaks")
            .answer::<KeysChanged>("200", "The keys as they are now; if it signed, another one signs at once")
            .error(
                "409",
                "Not confirmed: breaks says whose tokens are refused from then on. Or it is \
                    removed already",
            ),
    ]
}

async fn rotate(mut request: AdminRequest<TenantId>) -> Answer {
    let rotation = request.creation(KeyRotation::read).await?;
    let AdminRequest { administrator, caller, target: tenant, .. } = &request;
    if rotation.emergency && !rotation.confirm {
        let breaks = administrator.of(caller, tenant).key_effects(KeyCommand::RotateInEmergency).await?;
        return Err(Problem::confirmation_needed(CONFIRM_EMERGENCY, breaks));
    }
    let command = if rotation.emergency { KeyCommand::RotateInEmergency } else { KeyCommand::Rotate };
    let changed = administrator.of(caller, tenant).command_keys(command).await?;
    ResponseDocument::from_status(StatusCode::OK).replayed(changed.replayed).body(&changed.value)
}

async fn import(mut request: AdminRequest<TenantId>) -> Answer {
    let settings = request.creation(ImportSettings::read).await?;
    let AdminRequest { administrator, caller, target: tenant, .. } = &request;
    let changed = administrator.of(caller, tenant).import_key(settings).await?;
    let mut made = ResponseDocument::from_status(StatusCode::CREATED);
    // Keys are in the order of their numbers, so the last one is new.
    if let Some(key) = changed.value.items.last() {
        made = made.made(&format!("/api/v1/tenant/{tenant}/keys/{}", key.kid), changed.replayed);
    }
    made.body(&changed.value)
}

async fn revoke(request: AdminRequest<(TenantId, Kid)>) -> Answer {
    let confirmed = request.query(|query| query.flag("confirm"))?;
    let AdminRequest { administrator, caller, target: (tenant, key), .. } = &request;
    let command = KeyCommand::Revoke(*key);
    if !confirmed {
        let breaks = administrator.of(caller, tenant).key_effects(command).await?;
        return Err(Problem::confirmation_needed(CONFIRM_REVOCATION, breaks));
    }
    ResponseDocument::from_status(StatusCode::OK)
        .body(&administrator.of(caller, tenant).command_keys(command).await?.value)
}
