//! Commands on a tenant's signing keys: rotate, import, revoke. A command that invalidates live
//! tokens needs a confirmation. Without one, the response lists the tokens.

use actix_web::http::StatusCode;
use administration::documents::{ImportSettings, KeysChanged};
use administration::edit::KeyCommand;
use administration::kinds::Permission::{Keys, Tenants};
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

const CONFIRM_EMERGENCY: &str = "A new key signs immediately and all other keys are removed: verifiers \
    refuse the tokens listed in breaks, and may refuse new tokens until they fetch the keys again. To \
    confirm, send {\"emergency\": true, \"confirm\": true}";
const CONFIRM_REVOCATION: &str = "The key is removed immediately: verifiers refuse the tokens listed in \
    breaks. To confirm, send the request again with ?confirm=true";

pub(crate) fn endpoints() -> Vec<Operation> {
    vec![
        at(Post, "/api/v1/tenant/{id}/keys/rotate", Keys, rotate)
            .named("rotate_key", "Rotate the signing key.")
            .idempotent()
            .optional_body::<KeyRotation>(JSON, "Can be omitted")
            .answer::<KeysChanged>(
                "200",
                "The new state of the keys: the next key takes over after it has been published for \
                    publish_before; in an emergency it takes over immediately, and all other keys are \
                    removed",
            )
            .error(
                "409",
                "The emergency is not confirmed: breaks lists the tokens that verifiers would refuse",
            )
            .request_example(|| json!({ "emergency": false }))
            .answer_example(|| json!({ "items": [signing_keys::example()], "breaks": [] })),
        at(Post, "/api/v1/tenant/{id}/keys", Tenants, import)
            .named("import_key", "Import a signing key.")
            .idempotent()
            .body::<ImportSettings>(JSON, None)
            .answer::<KeysChanged>(
                "201",
                "The new state of the keys: the imported key takes over after it has been published for \
                    publish_before; Location",
            )
            .error(
                "400",
                "It is not a usable private key, or its algorithm differs from the tenant's; errors says which",
            )
            .error("403", "The token lacks the scope; always for the tenant `platform`")
            .error(
                "409",
                "The tenant has or had the key, or the import would replace an announced key before it signs",
            )
            .request_example(|| {
                json!({
                    "key": "-----BEGIN PRIVATE KEY-----\n…\n-----END PRIVATE KEY-----\n",
                    "algorithm": "RS256",
                })
            }),
        at(Delete, "/api/v1/tenant/{id}/keys/{kid}", Keys, revoke)
            .named("revoke_key", "Revoke a signing key immediately.")
            .query("boolean", "confirm", "Confirms that the caller knows which tokens this breaks")
            .answer::<KeysChanged>("200", "The new state of the keys; if the key was signing, another key \
                signs immediately")
            .error(
                "409",
                "Not confirmed: breaks lists the tokens that verifiers would refuse. Or the key is already removed",
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
    // Keys are in the order of their creation, so the last one is new.
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
