//! The commit of an edit, and the rows after it. A commit writes the decision on its revision or nothing, so
//! an interface shows these rows and reads none again.

use serde_json::json;
use values::Timestamp;

use super::{Edit, Facts};
use crate::audit::AuditRecord;
use crate::kinds::authority::Actor;
use crate::kinds::state::ManagedBy;
use crate::kinds::{Change, TenantState};
use crate::store::Commit;

impl Edit {
    /// The commit that writes this edit if the revision is still that of these facts, and the tenant after
    /// it, as far as it was loaded. Returns nothing if the rows have changed since.
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
