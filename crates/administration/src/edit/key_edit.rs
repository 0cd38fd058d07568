//! A plan of the life cycle (`keys::life_cycle`) as one commit: the rows that it writes and what the audit tells of them.

use keys::life_cycle::{BrokenTokens, KeyTimes, Plan, RevocationPlan};
use keys::{KeyId, KeyRecord, KeyRecords};
use protocol::Timestamp;

use crate::{Change, KeyChange, KeyChangeKind, KeyCommit, TenantKeys};

/// What is to be done with a tenant's keys, before the key that it may need is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct KeyDecision {
    pub(crate) plan: Plan,
    /// Whose tokens are refused from then on.
    pub(crate) breaks: Vec<BrokenTokens>,
    /// Whether an operator brings the key that is added.
    pub(crate) imports: bool,
    /// Whether an operator takes away the keys that are removed now.
    pub(crate) cuts: bool,
}

/// What a decision writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KeyEdit {
    pub(crate) changes: Vec<Change>,
    pub(crate) keys: KeyCommit,
    /// The tenant's keys afterwards.
    pub(crate) records: KeyRecords,
}

impl From<Plan> for KeyDecision {
    fn from(plan: Plan) -> Self {
        Self { plan, ..Self::default() }
    }
}

impl From<RevocationPlan> for KeyDecision {
    fn from(RevocationPlan { plan, breaks }: RevocationPlan) -> Self {
        Self { plan, breaks, imports: false, cuts: true }
    }
}

impl KeyDecision {
    /// Whether there is nothing to write: the keys stay as they are, and are looked at when it was said.
    pub(crate) fn changes_nothing(&self, state: &TenantKeys) -> bool {
        self.plan.is_empty() && self.plan.due_at == state.due_at
    }

    /// With `made`, the sealed row of the key that the plan announces.
    pub(crate) fn edit(&self, state: &TenantKeys, made: Option<KeyRecord>, now: Timestamp) -> KeyEdit {
        let tenant = &state.tenant.id;
        let mut edit = KeyEdit {
            changes: Vec::new(),
            keys: KeyCommit { due: vec![(tenant.clone(), self.plan.due_at)], ..KeyCommit::default() },
            records: state.records.clone(),
        };
        if let Some(record) = made {
            edit.add(state, record, self.imports);
        }
        for after in &self.plan.times {
            let taken_away = self.cuts && after.removed_at.is_some_and(|removed| removed <= now);
            edit.move_times(state, *after, taken_away);
        }
        for id in &self.plan.destroy {
            edit.destroy(state, *id);
        }
        edit
    }
}

impl KeyEdit {
    fn add(&mut self, state: &TenantKeys, record: KeyRecord, imported: bool) {
        let kind = KeyChangeKind::Announced {
            algorithm: record.algorithm,
            thumbprint: record.thumbprint.clone(),
            active_from: record.active_from,
            imported,
        };
        self.note(state, record.id, kind);
        self.keys.added.push((state.tenant.id.clone(), record.clone()));
        self.records.next = KeyId::numbered(record.id.number().saturating_add(1));
        self.records.keys.push(record);
    }

    fn move_times(&mut self, state: &TenantKeys, after: KeyTimes, taken_away: bool) {
        let Some(row) = self.records.keys.iter_mut().find(|row| row.id == after.id) else { return };
        let KeyRecord { id, active_from, retiring_from, removed_at, .. } = *row;
        (row.active_from, row.retiring_from, row.removed_at) =
            (after.active_from, after.retiring_from, after.removed_at);
        let before = KeyTimes { id, active_from, retiring_from, removed_at };
        let kind = if taken_away {
            KeyChangeKind::Revoked { after }
        } else {
            KeyChangeKind::Rescheduled { before, after }
        };
        self.note(state, id, kind);
        self.keys.times.push((state.tenant.id.clone(), after));
    }

    fn destroy(&mut self, state: &TenantKeys, id: KeyId) {
        for row in self.records.keys.iter_mut().filter(|row| row.id == id) {
            row.sealed_private_key.clear();
        }
        self.note(state, id, KeyChangeKind::Destroyed);
        self.keys.destroyed.push((state.tenant.id.clone(), id));
    }

    fn note(&mut self, state: &TenantKeys, id: KeyId, kind: KeyChangeKind) {
        self.changes.push(Change::Key(state.tenant.id.clone(), KeyChange { id, kind }));
    }
}
