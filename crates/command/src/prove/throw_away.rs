//! The two tenants that a proof creates and deletes. Their ids contain the time of their creation, so that a
//! later run can delete the tenants of a killed run.

use administration::documents::Page;
use serde_json::{Value, json};
use uuid::Uuid;
use values::Timestamp;

use crate::admin_client::{AdminApi, ApiRequest, segment};
use crate::output::ListArguments;

/// The ids of the throw-away tenants begin with this text.
const THROW_AWAY: &str = "isolation-proof-";
/// The name of each throw-away tenant. Tenants with another name are never deleted.
const NAME: &str = "Throw-away tenant of latchkey prove isolation";
/// Longer than any proof takes, in seconds. An older tenant was left behind by a killed run.
const LONGEST_RUN: u64 = 900;
/// The audience of the clients' tokens.
pub(super) const AUDIENCE: &str = "isolation-proof";

/// The API whose tokens are opaque.
pub(super) const OPAQUE_API: &str = "https://opaque.isolation-proof.invalid";

const TENANTS: &str = "/api/v1/admin/tenants";

/// The ids of two tenants. They differ only in the last letter.
pub(super) fn ids(now: Timestamp) -> [String; 2] {
    let random = Uuid::new_v4().simple().to_string();
    ["a", "b"].map(|end| format!("{THROW_AWAY}{}-{}-{end}", now.seconds(), &random[..10]))
}

/// Creates a tenant, and returns its document. `marker` is part of all texts for people.
pub(super) async fn make(admin: &AdminApi, id: &str, marker: &str) -> anyhow::Result<Value> {
    let on = json!({ "enabled": true });
    let many = "1000000/min";
    let tenant = json!({
        "id": id,
        "name": NAME,
        "strategies": { "oauth2": on, "oidc": on },
        "signing": { "algorithm": "ES256" },
        "api_keys": {},
        "refresh_token": { "rotation": "always", "grace": "0s" },
        "branding": { "support_url": format!("https://{marker}.invalid/") },
        "resource_servers": { AUDIENCE: { "scopes": {
            "openid": "", "profile": format!("The name at {marker}"), "api:read": "",
        } }, OPAQUE_API: { "access_token": { "format": "opaque" } } },
        "limits": {
            "failed_attempts": many, "admin_writes": many,
            "sign_in": { "account": 100, "known_browser": 100, "source": 100 },
        },
    });
    admin.send_silently(ApiRequest::post(TENANTS.to_owned(), &tenant)).await
}

/// Deletes a tenant, with its secrets and keys. A missing tenant is not an error.
pub(super) async fn delete(admin: &AdminApi, id: &str) -> anyhow::Result<()> {
    let path = format!("{TENANTS}/{}", segment(id));
    if !admin.exists(path.clone()).await? {
        return Ok(());
    }
    let _: Value = admin.send(ApiRequest::delete(path.clone())).await?;
    let _: Value = admin.send(ApiRequest::delete(format!("{path}?final=true"))).await?;
    Ok(())
}

/// Deletes the tenants that killed runs have left behind.
pub(super) async fn delete_old(admin: &AdminApi, now: Timestamp) -> anyhow::Result<()> {
    let search = vec![("search", Some("isolation-proof".to_owned()))];
    let found: Page<Value> = ListArguments::all().read(admin, TENANTS, search).await?;
    for tenant in &found.items {
        let id = tenant["id"].as_str().unwrap_or_default();
        if is_left(id, tenant["name"].as_str(), now) {
            delete(admin, id).await?;
        }
    }
    Ok(())
}

fn is_left(id: &str, name: Option<&str>, now: Timestamp) -> bool {
    let made = id.strip_prefix(THROW_AWAY).and_then(|rest| rest.split('-').next()?.parse::<u64>().ok());
    name == Some(NAME) && made.is_some_and(|made| made.saturating_add(LONGEST_RUN) < now.seconds())
}

#[cfg(test)]
mod tests {
    use tenancy::TenantId;

    use super::*;

    #[test]
    fn only_old_proof_tenants_are_deleted() {
        let at = Timestamp::from_seconds(1_767_225_600);
        let later = Timestamp::from_seconds(at.seconds() + LONGEST_RUN + 1);
        let [one, other] = ids(at);
        assert!(TenantId::parse(&one).is_ok() && one != other);
        assert!(is_left(&one, Some(NAME), later) && !is_left(&one, Some(NAME), at));
        assert!(!is_left(&one, Some("Acme"), later) && !is_left("isolation-proof-acme", Some(NAME), later));
    }
}
