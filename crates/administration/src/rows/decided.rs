//! The rows that a commit decides. The revisions of its tenants guard every commit. So rows that pure code
//! decides from revision n are the rows of revision n + 1, and a store only has to write them.

use std::collections::{HashMap, HashSet};

use accounts::AccountId;
use keys::{KeyId, KeyRecord};
use registry::{ClientId, CredentialTag, RevokedSubject, SecretId};
use tenancy::TenantId;
use values::{Lifetime, Timestamp};

use crate::edit::Edit;
use crate::kinds;
use crate::kinds::change::{ChangeKind, KeyChangeKind, PasswordChange, RowChange, SecretChangeKind};
use crate::kinds::match_change;
use crate::kinds::revocations::{RevocationChange, RevocationEffect};
use crate::kinds::state::{ManagedBy, RowLifecycle, SecretState};
use crate::kinds::{Change, Invalidation, Kind, TenantState};
use crate::store;

impl store::Commit {
    /// Decides the rows after an edit from the rows before it, which have these revisions. Created rows
    /// belong to the interface, and rows of other interfaces are not touched. Returns `None` if a change does
    /// not fit its row, because the row has changed since, or if data for a change is missing.
    #[must_use]
    pub fn decide(
        edit: Edit,
        managed_by: ManagedBy,
        before: &[TenantState],
        expected: Vec<(TenantId, u64)>,
        now: Timestamp,
    ) -> Option<Self> {
        let Edit { changes, secrets, passwords, mail, keys, tenant_metadata, live_api_keys, .. } = edit;
        let have_own_revisions = !changes.is_empty() && changes.iter().all(Change::has_own_revision);
        let clients = before.iter().flat_map(|state| state.clients.iter().map(move |row| (state, row)));
        let named =
            |((tenant, client), row): (_, SecretState)| ((tenant, client, row.secret.id.clone()), row);
        let of_account = |new: store::NewPassword| ((new.tenant.clone(), new.account.clone()), new);
        let mut decided = Decided {
            managed_by,
            now,
            revisions: expected.iter().map(|(tenant, revision)| (tenant, *revision)).collect(),
            tenants: before.iter().map(|state| (&state.tenant.id, state)).collect(),
            clients: clients.map(|(state, row)| ((&state.tenant.id, &row.client.id), row)).collect(),
            secrets: secrets.into_iter().map(named).collect(),
            passwords: passwords.into_iter().map(of_account).collect(),
            keys: keys.added.into_iter(),
            rows: store::Rows::default(),
            deleted: store::DeletedRows::default(),
            revoked: Vec::new(),
            changed: Vec::new(),
        };
        for change in &changes {
            let effects = decided.revoked.len();
            decided.take(change)?;
            if decided.revoked.len() > effects {
                decided.changed.push(Invalidation::Revocations(change.tenant().clone()));
            }
        }
        let planned = keys.due.iter().map(|(tenant, _)| tenant);
        let written = mail.iter().map(|mail| &mail.tenant);
        let mut touched = changes.iter().map(Change::tenant).chain(planned).chain(written);
        let is_unseen = |tenant: &TenantId| {
            let is_seen = have_own_revisions && decided.tenants.contains_key(tenant);
            !(is_seen || decided.revisions.contains_key(tenant) || decided.rows.tenants.contains_key(tenant))
        };
        if touched.any(is_unseen) || !decided.is_complete() {
            return None;
        }
        let Decided { tenants, mut rows, deleted, revoked, mut changed, .. } = decided;
        let mut seen = HashSet::new();
        changed.retain(|changed| seen.insert(changed.clone()));
        if managed_by == ManagedBy::Config {
            // Only applying files stores the fingerprint of a declaration, and only for tenants that the
            // files declare.
            let is_own = |tenant| {
                tenants.get(tenant).is_none_or(|state| state.lifecycle.managed_by == ManagedBy::Config)
            };
            if !tenant_metadata.iter().all(|metadata| is_own(&metadata.tenant)) {
                return None;
            }
            let noted = tenant_metadata.iter().map(|noted| (noted.tenant.clone(), noted.fingerprint));
            rows.fingerprints = noted.collect();
        }
        rows.mail = mail;
        rows.tenant_metadata = tenant_metadata;
        rows.due = keys.due.into_iter().collect();
        rows.due.extend(rows.first_keys.iter().map(|(tenant, key)| (tenant.clone(), Some(key.active_from))));
        let expected = if have_own_revisions { Vec::new() } else { expected };
        Some(Self { expected, rows, deleted, revoked, changed, live_api_keys, ..Self::empty(now) })
    }
}

/// The state while a commit is decided: the rows before it, data that no change has used yet, and the
/// decisions so far.
pub struct Decided<'a> {
    managed_by: ManagedBy,
    pub(crate) now: Timestamp,
    pub(crate) revisions: HashMap<&'a TenantId, u64>,
    pub(crate) tenants: HashMap<&'a TenantId, &'a TenantState>,
    pub(crate) clients: HashMap<(&'a TenantId, &'a ClientId), &'a kinds::client::State>,
    secrets: HashMap<(TenantId, ClientId, SecretId), SecretState>,
    passwords: HashMap<(TenantId, AccountId), store::NewPassword>,
    keys: std::vec::IntoIter<(TenantId, KeyRecord)>,
    pub(crate) rows: store::Rows,
    pub(crate) deleted: store::DeletedRows,
    pub(crate) revoked: Vec<RevocationChange>,
    pub(crate) changed: Vec<Invalidation>,
}

impl<'a> Decided<'a> {
    fn take(&mut self, change: &Change) -> Option<()> {
        match_change! { change,
            row => self.row(change.tenant(), row)?,
            Change::Secret(tenant, client, change) => {
                self.changed.push(Invalidation::Client(tenant.clone(), client.clone()));
                let subject = || {
                    let tag = CredentialTag::of_secret(tenant, client, &change.id);
                    RevokedSubject::Credential(client.clone(), tag)
                };
                self.revoke(tenant, change.kind.effect().map(|effect| (effect, subject())));
                let key = (tenant.clone(), client.clone(), change.id.clone());
                match (change.kind, self.secret(&(tenant, client), &change.id)) {
                    (SecretChangeKind::Added { .. }, None) => {
                        let new = self.secrets.remove(&key)?;
                        self.rows.new_secrets.insert(key, new);
                    }
                    (SecretChangeKind::Added { .. }, Some(_)) | (_, None) => return None,
                    (kind, Some(row)) => {
                        let row = self.rows.secrets.get(&key).unwrap_or(row).clone();
                        let row = self.secret_after(row, kind)?;
                        self.rows.secrets.insert(key, row);
                    }
                }
            }
            Change::FirstKey(tenant, key) => {
                self.changed.push(Invalidation::Keys(tenant.clone()));
                let first = self.new_key(tenant, key.id)?;
                self.rows.first_keys.push(first);
            }
            Change::Key(tenant, key) => {
                self.changed.push(Invalidation::Keys(tenant.clone()));
                if matches!(key.kind, KeyChangeKind::Revoked { .. }) {
                    let subject = RevokedSubject::SigningKey(key.id.to_string());
                    self.revoke(tenant, [(RevocationEffect::Ended, subject)]);
                }
                match &key.kind {
                    KeyChangeKind::Announced { .. } => {
                        let added = self.new_key(tenant, key.id)?;
                        self.rows.keys.push(added);
                    }
                    KeyChangeKind::Rescheduled { after, .. } | KeyChangeKind::Revoked { after } => {
                        self.rows.key_times.push((tenant.clone(), *after));
                    }
                    KeyChangeKind::Destroyed => self.deleted.private_keys.push((tenant.clone(), key.id)),
                }
            }
            Change::AccountPassword(tenant, account, change) => {
                self.changed.push(Invalidation::Account(tenant.clone(), account.clone()));
                let new = self.passwords.remove(&(tenant.clone(), account.clone()))?;
                if new.password.is_some() != matches!(change, PasswordChange::Set(_)) {
                    return None;
                }
                self.decide_password(new)?;
            }
            Change::Sessions(tenant, account, None) => {
                self.changed.push(Invalidation::Account(tenant.clone(), account.clone()));
                self.sign_out((tenant.clone(), account.clone()))?;
            }
            // No cache contains sessions or consents.
            Change::Sessions(tenant, account, session) => {
                self.end_sessions(&(tenant.clone(), account.clone()), session.as_ref());
            }
            Change::Consent(tenant, account, client) => {
                self.deleted.consents.push(((tenant.clone(), account.clone()), client.clone()));
                let subject = RevokedSubject::Consent(client.clone(), account.as_str().to_owned());
                self.revoke(tenant, [(RevocationEffect::Issued, subject)]);
            }
            Change::Unlock(tenant, account) | Change::PasswordLink(tenant, account) => {
                self.changed.push(Invalidation::Account(tenant.clone(), account.clone()));
            }
            Change::Tokens(tenant, client) => {
                let subject = client.clone().map_or(RevokedSubject::Tenant, RevokedSubject::Client);
                self.revoke(tenant, [(RevocationEffect::Issued, subject)]);
            }
        }
        Some(())
    }

    /// Adds an effect on tokens of the tenant.
    pub(crate) fn revoke(
        &mut self,
        tenant: &TenantId,
        effects: impl IntoIterator<Item = (RevocationEffect, RevokedSubject)>,
    ) {
        self.revoked.extend(effects.into_iter().map(|(effect, subject)| RevocationChange {
            tenant: tenant.clone(),
            subject,
            account: None,
            effect,
        }));
    }

    fn row<T: Kind>(&mut self, tenant: &TenantId, change: &RowChange<T>) -> Option<()> {
        if T::knows(change.kind) { T::decide(tenant, self, change) } else { None }
    }

    /// The next new key. New keys have the order of their changes.
    fn new_key(&mut self, tenant: &TenantId, id: KeyId) -> Option<(TenantId, KeyRecord)> {
        self.keys.next().filter(|(of, new)| of == tenant && new.id == id)
    }

    /// Whether every change has used its data and the numbers of new keys are consecutive. Unused data would
    /// mean that caches keep outdated rows.
    fn is_complete(&self) -> bool {
        let mut latest = HashMap::new();
        let follows = |(tenant, key): &'_ (TenantId, KeyRecord)| {
            let number = key.id.number();
            latest.insert(tenant.clone(), number).is_none_or(|before| number == before.saturating_add(1))
        };
        let is_used = self.secrets.is_empty() && self.passwords.is_empty() && self.keys.len() == 0;
        is_used && self.rows.keys.iter().all(follows)
    }

    /// The first time at which a new sign-in is not invalidated by this change. Times are whole seconds, and
    /// a sign-in in the same second may have been before the change.
    pub(crate) fn next_second(&self) -> Timestamp {
        self.now + Lifetime::from_seconds(1)
    }

    /// The row after a change. Only some changes affect the fields, but every change affects the lifecycle.
    pub(crate) fn row_after<T: Clone>(
        &self,
        change: &RowChange<T>,
        before: Option<(&T, RowLifecycle)>,
    ) -> Option<(T, RowLifecycle)> {
        let Self { managed_by, now, .. } = *self;
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

    /// The API can change every secret, files only the secrets that they declared. A secret that another
    /// interface revoked stays revoked.
    fn secret_after(&self, mut row: SecretState, kind: SecretChangeKind) -> Option<SecretState> {
        let Self { managed_by, now, .. } = *self;
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
    use std::slice;

    use tenancy::TenantStatus;

    use super::*;
    use crate::edit::test_states::{NOW, at, state, with};

    /// How the row was changed before, the change to test, and the expected lifecycle.
    type Case<'a> = (&'a dyn Fn(&mut RowLifecycle), ChangeKind, RowLifecycle);

    fn after(change: impl Fn(&mut RowLifecycle), kind: ChangeKind, by: ManagedBy) -> Option<RowLifecycle> {
        with(RowLifecycle::fresh(ManagedBy::Config, at(0)), change).after(kind, by, at(5))
    }

    #[test]
    fn each_change_updates_the_row_lifecycle() {
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
        let edit = Edit::from_change(change);
        let expected = vec![(state.tenant.id.clone(), state.revision)];
        let commit =
            store::Commit::decide(edit, state.lifecycle.managed_by, slice::from_ref(&state), expected, NOW);
        let row = &commit.unwrap().rows.tenants[&state.tenant.id];
        assert_eq!(row.revision, state.revision + 1);
        row.keys_published_until
    }

    #[test]
    fn inactive_tenant_publishes_keys_until_the_later_time() {
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
