//! The commit of an edit, and the rows as they are after it. A commit writes everything that was decided or
//! nothing, so interfaces show these rows without reading them again.

use serde_json::json;
use values::Timestamp;

use super::{Edit, Facts};
use crate::audit::AuditRecord;
use crate::kinds::authority::Actor;
use crate::kinds::state::ManagedBy;
use crate::kinds::{Change, TenantState};
use crate::store::Commit;

impl Edit {
    /// The commit that writes this edit if the revision has not changed, and the tenant after the commit, as
    /// far as it was loaded. Returns `None` if the rows do not fit the edit.
    pub(crate) fn into_commit(
        self,
        actor: &Actor,
        now: Timestamp,
        facts: Facts,
    ) -> Option<(Commit, Option<TenantState>)> {
        let record = |change: &Change| {
            let mut record = AuditRecord::from_change(change, actor, now);
            if let (Change::Client(_), Some((kept, revoked))) = (change, &self.credentials) {
                record.detail["kept_credentials"] = json!(kept);
                record.detail["revoked_credentials"] = json!(revoked);
            }
            record
        };
        let audit = self.changes.iter().map(record).collect();
        let Facts { state, keys, .. } = facts;
        let of_keys = keys.map(|keys| (keys.tenant.id, keys.revision));
        let of_state = state.iter().map(|state| (state.tenant.id.clone(), state.revision));
        let expected = of_state.chain(of_keys).collect();
        let commit = Commit::decide(self, ManagedBy::Api, state.as_slice(), expected, now)?;
        let added = || {
            let row = commit.rows.tenants.values().next()?;
            Some(TenantState::added(row.tenant.clone(), row.lifecycle))
        };
        let mut after = state.or_else(added);
        after.iter_mut().for_each(|state| commit.rows.put_into(state));
        Some((Commit { audit, ..commit }, after))
    }
}
