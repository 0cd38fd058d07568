//! The rows that a commit decides. Every commit is guarded by the revisions of its tenants. So the rows that
//! pure code decides on revision n are the rows of revision n + 1, and a store only writes them.

use std::collections::HashMap;

use registry::{ClientId, SecretId};
use tenancy::TenantId;
use values::{Lifetime, Timestamp};

use super::{Incomplete, check_complete};
use crate::kinds::{Decided, Kind, match_change};
use crate::{
    Change, ChangeKind, ClientState, CommitRequest, ManagedBy, RowChange, RowLifecycle, SecretChangeKind,
    SecretState, TenantState,
};

impl Decided {
    /// Decides the rows. Returns nothing if a change does not fit its row, because the decision was made on
    /// other rows.
    ///
    /// # Errors
    /// [`Incomplete`] if the request lacks data that its changes need.
    pub fn from_request(request: &CommitRequest) -> Result<Option<Self>, Incomplete> {
        check_complete(request)?;
        Ok(Rows::from_request(request).decide())
    }
}

/// The request with its rows of before, by their keys, and the rows that are decided so far.
pub(crate) struct Rows<'a> {
    pub(crate) request: &'a CommitRequest,
    pub(crate) revisions: HashMap<&'a TenantId, u64>,
    pub(crate) tenants: HashMap<&'a TenantId, &'a TenantState>,
    pub(crate) clients: HashMap<(&'a TenantId, &'a ClientId), &'a ClientState>,
    pub(crate) decided: Decided,
}

impl<'a> Rows<'a> {
    fn from_request(request: &'a CommitRequest) -> Self {
        let revisions =
            request.expected_revisions.iter().map(|(tenant, revision)| (tenant, *revision)).collect();
        let tenants = request.before.iter().map(|state| (&state.tenant.id, state)).collect();
        let rows = request.before.iter().flat_map(|state| state.clients.iter().map(move |row| (state, row)));
        let clients = rows.map(|(state, row)| ((&state.tenant.id, &row.client.id), row)).collect();
        Self { request, revisions, tenants, clients, decided: Decided::default() }
    }

    fn decide(mut self) -> Option<Decided> {
        for change in &self.request.changes {
            match_change! { change,
                row => Kind::decide(change.tenant(), &mut self, row)?,
                Change::Secret(tenant, client, change) => {
                    let row = self.secret(&(tenant, client), &change.id);
                    match (change.kind, row) {
                        // The row comes with its hash, beside the change.
                        (SecretChangeKind::Added { .. }, None) => {}
                        (SecretChangeKind::Added { .. }, Some(_)) | (_, None) => return None,
                        (kind, Some(row)) => {
                            let key = (tenant.clone(), client.clone(), change.id.clone());
                            let row = self.decided.secrets.get(&key).unwrap_or(row).clone();
                            let row = self.secret_after(row, kind)?;
                            self.decided.secrets.insert(key, row);
                        }
                    }
                }
                Change::Sessions(tenant, account, None) => {
                    self.end_sessions((tenant.clone(), account.clone()))?;
                }
                Change::FirstKey(..)
                | Change::Key(..)
                | Change::AccountPassword(..)
                | Change::Sessions(_, _, Some(_))
                | Change::Consent(..)
                | Change::Unlock(..)
                | Change::PasswordLink(..)
                | Change::Tokens(..) => {}
            }
        }
        for new in &self.request.passwords {
            self.decide_password(new)?;
        }
        for new in &self.request.secrets {
            let managed_by = self.request.managed_by;
            let row = SecretState {
                declared_expires_at: new.secret.expires_at.filter(|_| managed_by == ManagedBy::Config),
                secret: new.secret.clone(),
                managed_by,
                revoked_by: None,
                declared_digest: new.declared_digest,
                name: new.name.clone(),
                fingerprint: new.fingerprint.clone(),
            };
            let key = (new.tenant.clone(), new.client.clone(), new.secret.id.clone());
            self.decided.new_secrets.insert(key, row);
        }
        self.has_own_metadata().then_some(self.decided)
    }

    /// Only the files note the fingerprint of a declaration, and only at the tenants that they declare.
    fn has_own_metadata(&self) -> bool {
        let own = |tenant| {
            let state = self.tenants.get(tenant);
            state.is_none_or(|state| state.lifecycle.managed_by == ManagedBy::Config)
        };
        let metadata = &self.request.tenant_metadata;
        self.request.managed_by != ManagedBy::Config || metadata.iter().all(|metadata| own(&metadata.tenant))
    }

    /// The first instant of an authentication that a change now does not end. Instants are whole seconds, and
    /// an authentication in the same second may have come before the change.
    pub(crate) fn next_second(&self) -> Timestamp {
        self.request.now + Lifetime::from_seconds(1)
    }

    /// The fields change only with a change of fields; every change moves the lifecycle.
    pub(crate) fn row_after<T: Clone>(
        &self,
        change: &RowChange<T>,
        before: Option<(&T, RowLifecycle)>,
    ) -> Option<(T, RowLifecycle)> {
        let CommitRequest { managed_by, now, .. } = *self.request;
        match (change.kind, before) {
            (ChangeKind::Added, None) => {
                Some((T::clone(&change.after), RowLifecycle::fresh(managed_by, now)))
            }
            (ChangeKind::Added, Some(_)) | (_, None) => None,
            (kind, Some((fields, lifecycle))) => {
                let has_new_fields = matches!(
                    kind,
                    ChangeKind::Changed | ChangeKind::Restored | ChangeKind::Restricted | ChangeKind::Revoked
                );
                let fields = if has_new_fields { &change.after } else { fields };
                Some((fields.clone(), lifecycle.after(kind, managed_by, now)?))
            }
        }
    }

    fn secret(&self, client: &(&TenantId, &ClientId), id: &SecretId) -> Option<&'a SecretState> {
        self.clients.get(client)?.secrets.iter().find(|row| row.secret.id == *id)
    }

    /// The API changes every secret, the files only those that they declared. A secret that another interface
    /// revoked stays revoked.
    fn secret_after(&self, mut row: SecretState, kind: SecretChangeKind) -> Option<SecretState> {
        let CommitRequest { managed_by, now, .. } = *self.request;
        let declares = managed_by == ManagedBy::Config;
        if declares && row.managed_by != ManagedBy::Config {
            return None;
        }
        match kind {
            SecretChangeKind::Added { .. } => return None,
            SecretChangeKind::Rescheduled { after: end, .. }
            | SecretChangeKind::Restored { expires_at: end } => {
                row.secret.expires_at = end;
                if declares {
                    row.declared_expires_at = end;
                }
            }
            SecretChangeKind::Revoked | SecretChangeKind::Removed => {
                if row.secret.revoked_at.is_some() {
                    return None;
                }
                row.secret.revoked_at = Some(now);
                row.revoked_by = Some(managed_by);
            }
        }
        if matches!(kind, SecretChangeKind::Restored { .. }) {
            if row.revoked_by != Some(managed_by) {
                return None;
            }
            row.secret.revoked_at = None;
            row.revoked_by = None;
        }
        Some(row)
    }
}

#[cfg(test)]
mod tests {
    use tenancy::TenantStatus;

    use super::*;
    use crate::edit::test_states::{NOW, at, state, with};

    /// The row before, the change, and the row after.
    type Case<'a> = (&'a dyn Fn(&mut RowLifecycle), ChangeKind, RowLifecycle);

    fn after(change: impl Fn(&mut RowLifecycle), kind: ChangeKind, by: ManagedBy) -> Option<RowLifecycle> {
        with(RowLifecycle::fresh(ManagedBy::Config, at(0)), change).after(kind, by, at(5))
    }

    #[test]
    fn each_change_moves_the_lifecycle_of_a_row() {
        use ManagedBy::{Api, Config};
        let changed = RowLifecycle { updated_at: at(5), ..RowLifecycle::fresh(Config, at(0)) };
        let retired = |row: &mut RowLifecycle| row.retired_at = Some(at(1));
        let suspended = |row: &mut RowLifecycle| row.suspended_at = Some(at(1));
        let due = |row: &mut RowLifecycle| row.deletion_due_at = Some(at(9));
        let (now, scheduled) = (Some(at(5)), ChangeKind::DeletionScheduled { due_at: at(9) });
        let cases: [Case<'_>; 8] = [
            (&|_| {}, ChangeKind::Changed, changed),
            (&retired, ChangeKind::Restored, changed),
            (&|_| {}, ChangeKind::Retired, RowLifecycle { retired_at: now, ..changed }),
            (&|_| {}, ChangeKind::Suspended, RowLifecycle { suspended_at: now, ..changed }),
            (&suspended, ChangeKind::Resumed, changed),
            (&|_| {}, scheduled, RowLifecycle { deletion_due_at: Some(at(9)), ..changed }),
            (&due, ChangeKind::DeletionCancelled, changed),
            (&due, ChangeKind::Deleted, RowLifecycle { deleted_at: now, ..changed }),
        ];
        for (before, kind, expected) in cases {
            assert_eq!(after(before, kind, Config), Some(expected), "{kind:?}");
            let gone = |row: &mut RowLifecycle| row.deleted_at = Some(at(1));
            assert_eq!(after(gone, kind, Config), None, "{kind:?}");
        }
        for (kind, expected) in [
            (ChangeKind::Changed, false),
            (ChangeKind::Restored, false),
            (ChangeKind::Retired, false),
            (ChangeKind::Deleted, false),
            (ChangeKind::Suspended, true),
            (ChangeKind::Resumed, true),
            (scheduled, true),
            (ChangeKind::DeletionCancelled, true),
        ] {
            assert_eq!(after(|_| {}, kind, Api).is_some(), expected, "{kind:?}");
        }
        assert!(after(retired, ChangeKind::Deleted, Api).is_some());
        assert!(after(retired, ChangeKind::Changed, Config).is_none());
    }

    /// Until when the keys of a tenant stay published after this change.
    fn published(
        before: impl Fn(&mut TenantState),
        kind: ChangeKind,
        until: Option<u64>,
    ) -> Option<Timestamp> {
        let state = with(state("t"), before);
        let mut after = state.tenant.clone();
        if let Some(until) = until {
            after.status = TenantStatus::Suspended { keys_published_until: at(until) };
        }
        let change = RowChange { kind, before: None, after: Box::new(after) };
        let request = CommitRequest {
            expected_revisions: vec![(state.tenant.id.clone(), state.revision)],
            before: vec![state.clone()],
            changes: vec![Change::Tenant(change)],
            ..CommitRequest::empty(state.lifecycle.managed_by, NOW)
        };
        let decided = Decided::from_request(&request).unwrap().unwrap();
        let row = &decided.tenants[&state.tenant.id];
        assert_eq!(row.revision, state.revision + 1);
        row.keys_published_until
    }

    #[test]
    fn a_tenant_that_does_not_serve_keeps_its_keys_published_until_the_later_time() {
        let suspended = |until: u64| {
            move |state: &mut TenantState| {
                state.lifecycle.suspended_at = Some(NOW);
                state.tenant.status = TenantStatus::Suspended { keys_published_until: at(until) };
            }
        };
        assert_eq!(published(|_| {}, ChangeKind::Suspended, Some(7)), Some(at(7)));
        assert_eq!(published(suspended(9), ChangeKind::Retired, Some(7)), Some(at(9)));
        assert_eq!(published(suspended(7), ChangeKind::Retired, Some(9)), Some(at(9)));
        assert_eq!(published(suspended(9), ChangeKind::Changed, None), Some(at(9)));
        assert_eq!(published(suspended(9), ChangeKind::Resumed, None), None);
        let retired_too = |state: &mut TenantState| {
            suspended(9)(state);
            state.lifecycle.retired_at = Some(NOW);
        };
        assert_eq!(published(retired_too, ChangeKind::Resumed, None), Some(at(9)));
    }
}
