//! Shows accounts in the audit by their email address or user name. The audit itself has only their IDs.

use std::collections::HashMap;

use administration::documents::{AccountView, AuditView};
use tenancy::TenantId;

use crate::admin_client::{AdminApi, ApiRequest, segment};
use crate::paths::accounts_path;

/// Each name costs a request or two.
const MOST: usize = 100;

/// Replaces the IDs of accounts. An ID stays if the account is deleted or this caller may not see accounts.
pub(super) async fn show(admin: &AdminApi, records: &mut [AuditView]) {
    let mut names = HashMap::new();
    for AuditView { record, .. } in records {
        let actor = record.actor.strip_prefix("account:").map(str::to_owned);
        let subject = Some(record.subject.clone()).filter(|subject| subject.starts_with("usr_"));
        for (id, shown) in [(actor, &mut record.actor), (subject, &mut record.subject)] {
            let Some(id) = id else { continue };
            let key = (record.tenant.clone(), id);
            if !names.contains_key(&key) && names.len() < MOST {
                let found = name(admin, &key.0, &key.1).await;
                names.insert(key.clone(), found);
            }
            if let Some(Some(name)) = names.get(&key) {
                shown.clone_from(name);
            }
        }
    }
}

/// An actor belongs to the tenant of the record or to the platform.
async fn name(admin: &AdminApi, tenant: &TenantId, id: &str) -> Option<String> {
    for tenant in [tenant, &TenantId::platform()] {
        let request = ApiRequest::get(format!("{}/{}", accounts_path(tenant), segment(id)));
        if let Ok(AccountView { settings, .. }) = admin.send(request).await {
            return settings.email.or(settings.username);
        }
    }
    None
}
