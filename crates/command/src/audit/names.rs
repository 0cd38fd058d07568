//! Shows accounts in the audit by their email address or user name. The audit itself has only their IDs.

use std::collections::HashMap;

use administration::documents::{AccountView, AuditView};
use tenancy::TenantId;

use crate::admin_client::{AdminApi, AdminApiError, ApiRequest, segment};
use crate::paths::accounts_path;

/// Each name costs a request or two.
const MOST: usize = 100;

/// Replaces the IDs of accounts. An ID stays if the account is deleted. After a refusal all further IDs stay,
/// because this caller may not see accounts.
pub(super) async fn show(admin: &AdminApi, records: &mut [AuditView]) {
    let mut names = HashMap::new();
    for AuditView { record, .. } in records {
        for shown in [&mut record.actor, &mut record.subject] {
            let id = shown.strip_prefix("account:").unwrap_or(shown);
            let key = (record.tenant.clone(), id.to_owned());
            if id.starts_with("usr_") && !names.contains_key(&key) && names.len() < MOST {
                let Ok(found) = name(admin, &key.0, id).await else { return };
                names.insert(key.clone(), found);
            }
            if let Some(Some(name)) = names.get(&key) {
                shown.clone_from(name);
            }
        }
    }
}

/// An actor belongs to the tenant of the record or to the platform.
async fn name(admin: &AdminApi, tenant: &TenantId, id: &str) -> anyhow::Result<Option<String>> {
    let ask = |tenant| admin.send(ApiRequest::get(format!("{}/{}", accounts_path(tenant), segment(id))));
    let found: Option<AccountView> = match ask(tenant).await {
        Err(error) if error.downcast_ref().map(AdminApiError::exit_code) == Some(5) => return Err(error),
        Err(_) => ask(&TenantId::platform()).await.ok(),
        Ok(found) => Some(found),
    };
    Ok(found.and_then(|AccountView { settings, .. }| settings.email.or(settings.username)))
}
