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
