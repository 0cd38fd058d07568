//! The commit of an edit, and the rows after it. A commit writes the decision on its revision or nothing, so
//! an interface shows these rows and reads none again.

use serde_json::json;
use values::Timestamp;

use super::{Edit, Edited, Facts};
use crate::rows::Decided;
use crate::{Actor, AuditRecord, Change, CommitRequest, EditError, ManagedBy, TenantState};

impl Edit {
    /// The request that writes this edit on the revision of these facts.
    pub(crate) fn into_request(self, actor: &Actor, now: Timestamp, facts: Facts) -> CommitRequest {
        let Self { changes, secrets, passwords, keys, tenant_metadata, credentials } = self;
        let record = |change: &Change| {
            let mut record = AuditRecord::from_change(change, actor, now);
            if let (Change::Client(_), Some((kept, revoked))) = (change, &credentials) {
                record.detail["kept_credentials"] = json!(kept);
                record.detail["revoked_credentials"] = json!(revoked);
            }
            record
        };
        let of_keys = facts.keys.iter().map(|keys| (keys.tenant.id.clone(), keys.revision));
        let of_state = facts.state.iter().map(|state| (state.tenant.id.clone(), state.revision));
        let is_of_api_keys = is_of_api_keys(&changes);
        CommitRequest {
            expected_revisions: of_state.chain(of_keys).filter(|_| !is_of_api_keys).collect(),
            before: facts.state.into_iter().collect(),
            audit: changes.iter().map(record).collect(),
            changes,
            secrets,
            passwords,
            keys,
            tenant_metadata,
            ..CommitRequest::empty(ManagedBy::Api, now)
        }
    }
}

/// Whether all of these are about API keys.
fn is_of_api_keys(changes: &[Change]) -> bool {
    !changes.is_empty() && changes.iter().all(|change| matches!(change, Change::ApiKey(_)))
}

impl CommitRequest {
    /// Whether only API keys change. Such a commit does not wait for other tenants: keys have revisions of
    /// their own, and the facts that their rules have read need no guard, because each use of a key reads
    /// them again.
    #[must_use]
    pub fn is_of_api_keys(&self) -> bool {
        is_of_api_keys(&self.changes)
    }

    /// The tenant after this commit, with the clients that were loaded and those that are new.
    pub(crate) fn after(&self) -> Edited<TenantState> {
        let decided = Decided::from_request(self).map_err(|error| EditError::Unreadable(Box::new(error)))?;
        // Changes that do not fit the rows were decided on other rows.
        let decided = decided.ok_or(EditError::Contended)?;
        let tenant = decided.tenants.values().next();
        let added = || tenant.map(|row| TenantState::added(row.tenant.clone(), row.lifecycle));
        let before = self.before.first().cloned().or_else(added);
        let mut state = before.ok_or(EditError::NotFound("tenant"))?;
        decided.put_into(&mut state);
        Ok(state)
    }
}
