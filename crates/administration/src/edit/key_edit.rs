//! Turns a plan of the life cycle (`keys::life_cycle`) into an edit: the rows that it writes and the changes
//! that the audit records.

use keys::life_cycle::{BrokenTokens, KeyPlan, KeyTimes, RevocationPlan};
use keys::{KeyId, KeyRecord, KeyRecords};
use values::Timestamp;

use super::Edit;
use crate::{Change, KeyChange, KeyChangeKind, KeyCommit, TenantKeys};

/// The decision on a tenant's keys, before the announced key exists.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct KeyDecision {
    pub(crate) plan: KeyPlan,
    /// The keys whose tokens are refused from then on.
    pub(crate) breaks: Vec<BrokenTokens>,
    /// Whether the added key is imported.
    pub(crate) imports: bool,
    /// Whether an operator revokes the keys that are removed now.
    pub(crate) cuts: bool,
}

impl From<KeyPlan> for KeyDecision {
    fn from(plan: KeyPlan) -> Self {
        Self { plan, ..Self::default() }
    }
}

impl From<RevocationPlan> for KeyDecision {
    fn from(RevocationPlan { plan, breaks }: RevocationPlan) -> Self {
        Self { plan, breaks, imports: false, cuts: true }
    }
}

impl KeyDecision {
    /// Returns the edit and the tenant's keys after it. `made` is the sealed row of the key that the plan
    /// announces. Returns nothing if neither the keys nor the time of their next check change.
    pub(crate) fn edit(
        &self,
        state: &TenantKeys,
        made: Option<KeyRecord>,
        now: Timestamp,
    ) -> (Edit, KeyRecords) {
        let (tenant, mut records, mut changed) = (&state.tenant.id, state.records.clone(), Vec::new());
        let is_new = !self.plan.is_empty() || self.plan.due_at != state.due_at;
        let due = is_new.then(|| (tenant.clone(), self.plan.due_at)).into_iter().collect();
        let mut keys = KeyCommit { due, added: Vec::new() };
        if let Some(record) = made {
            let kind = KeyChangeKind::Announced {
                algorithm: record.algorithm,
                thumbprint: record.thumbprint.clone(),
                active_from: KeyTimes::from_key(&record).as_shown().active_from,
                imported: self.imports,
            };
            changed.push((record.id, kind));
            keys.added.push((tenant.clone(), record.clone()));
            records.next = KeyId::numbered(record.id.number().saturating_add(1));
            records.keys.push(record);
        }
        for after in self.plan.times.iter().copied() {
            let Some(row) = records.keys.iter_mut().find(|row| row.id == after.id) else { continue };
            let before = KeyTimes::from_key(row);
            after.write_to(row);
            let kind = if self.cuts && after.removed_at.is_some_and(|removed| removed <= now) {
                KeyChangeKind::Revoked { after }
            } else {
                KeyChangeKind::Rescheduled { before, after }
            };
            changed.push((after.id, kind));
        }
        for id in self.plan.destroy.iter().copied() {
            for row in records.keys.iter_mut().filter(|row| row.id == id) {
                row.sealed_private_key.clear();
            }
            changed.push((id, KeyChangeKind::Destroyed));
        }
        let change = |(id, kind)| Change::Key(tenant.clone(), KeyChange { id, kind });
        (Edit { changes: changed.into_iter().map(change).collect(), keys, ..Edit::default() }, records)
    }
}
