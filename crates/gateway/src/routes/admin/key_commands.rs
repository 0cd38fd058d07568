//! Commands on a tenant's signing keys: rotate, import, revoke. A command that breaks live tokens answers first what it would break, and
//! needs a confirmation.

use actix_web::http::StatusCode;
use administration::{ImportSettings, KeyCommand, KeysChanged};
use keys::KeyId;
use tenancy::TenantId;

use super::admin_request::AdminRequest;
use super::{Answer, names};
use crate::documents::KeyRotation;
use crate::respond::{Document, Problem};

const CONFIRM_EMERGENCY: &str = "A new key signs at once and all others are gone at once: verifiers refuse the tokens in breaks, \
     and may refuse new ones until they fetch the keys again. Send {\"emergency\": true, \"confirm\": true} to do it";
const CONFIRM_REVOCATION: &str = "The key is gone at once: verifiers refuse the tokens in breaks. Send it again with ?confirm=true to do it";

pub(crate) async fn rotate(mut request: AdminRequest<TenantId>) -> Answer {
    let rotation = request.creation(KeyRotation::read).await?;
    let AdminRequest { administrator, caller, target: tenant, .. } = &request;
    if rotation.emergency && !rotation.confirm {
        let breaks = administrator.key_effects(caller, tenant, KeyCommand::RotateInEmergency).await?;
        return Err(Problem::confirmation_needed(CONFIRM_EMERGENCY, breaks));
    }
    let command = if rotation.emergency { KeyCommand::RotateInEmergency } else { KeyCommand::Rotate };
    let changed = administrator.command_keys(caller, tenant, command).await?;
    Document::of(StatusCode::OK).replayed(changed.replayed).body(&changed.value)
}

pub(crate) async fn import(mut request: AdminRequest<TenantId>) -> Answer {
    let settings = request.creation(ImportSettings::read).await?;
    let AdminRequest { administrator, caller, target: tenant, .. } = &request;
    let changed = administrator.import_key(caller, tenant, settings).await?;
    let mut made = Document::of(StatusCode::CREATED);
    if let Some(key) = newest(&changed.value) {
        made = made.made(&names::key_location(tenant, key), changed.replayed);
    }
    made.body(&changed.value)
}

pub(crate) async fn revoke(request: AdminRequest<(TenantId, KeyId)>) -> Answer {
    let confirmed = request.query(|query| query.flag("confirm"))?;
    let AdminRequest { administrator, caller, target: (tenant, key), .. } = &request;
    let command = KeyCommand::Revoke(*key);
    if !confirmed {
        let breaks = administrator.key_effects(caller, tenant, command).await?;
        return Err(Problem::confirmation_needed(CONFIRM_REVOCATION, breaks));
    }
    Document::of(StatusCode::OK).body(&administrator.command_keys(caller, tenant, command).await?.value)
}

/// Numbers only grow, so the newest key has the highest one.
fn newest(changed: &KeysChanged) -> Option<KeyId> {
    changed.items.iter().filter_map(|key| KeyId::parse(&key.kid)).max()
}
