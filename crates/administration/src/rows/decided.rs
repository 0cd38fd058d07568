//! The rows that a commit decides. Every commit rests on the revisions of its tenants, so what pure code decides on revision n is what
//! the rows are on revision n + 1, and a store only writes them.

use std::collections::{BTreeMap, HashMap};

use accounts::{Account, AccountId, AccountStatus};
use protocol::{Lifetime, Timestamp};
use registry::{Client, ClientId, SecretId};
use tenancy::{Tenant, TenantId, TenantStatus};

use super::{Incomplete, check_complete};
use crate::{
    AccountState, Change, ChangeKind, ClientState, CommitRequest, ManagedBy, NewPassword,
    ResourceServerState, RowChange, RowLifecycle, SecretChangeKind, SecretState, TenantState,
};

/// The rows with fields and the secrets as they are after the commit.
#[derive(Clone, Debug, Default)]
pub struct Decided {
    /// Tenants without what belongs to them.
    pub tenants: BTreeMap<TenantId, DecidedTenant>,
    /// Resource servers, by tenant and audience.
    pub resource_servers: BTreeMap<(TenantId, String), ResourceServerState>,
    /// Clients without their secrets.
    pub clients: BTreeMap<(TenantId, ClientId), ClientState>,
    /// Accounts.
    pub accounts: BTreeMap<(TenantId, AccountId), AccountState>,
    /// Secrets that exist already.
    pub secrets: BTreeMap<(TenantId, ClientId, SecretId), SecretState>,
    /// Secrets that the commit adds.
    pub new_secrets: BTreeMap<(TenantId, ClientId, SecretId), SecretState>,
}

/// A tenant's own row.
#[derive(Clone, Debug)]
pub struct DecidedTenant {
    /// Its fields.
    pub tenant: Tenant,
    /// Its lifecycle.
    pub lifecycle: RowLifecycle,
    /// Until when its keys stay published although it does not serve.
    pub keys_published_until: Option<Timestamp>,
    /// The revision of the row: 1 of a new tenant, otherwise one more than the expected one.
    pub revision: u64,
}

impl Decided {
    /// The rows, or nothing where a change does not fit the row that it is about: the decision was made on other rows.
    ///
    /// # Errors
    /// [`Incomplete`] where the request lacks what its changes need.
    pub fn of(request: &CommitRequest) -> Result<Option<Self>, Incomplete> {
        check_complete(request)?;
        Ok(Rows::of(request).decide())
    }
}

/// The request with its rows of before, by their keys.
struct Rows<'a> {
    request: &'a CommitRequest,
    revisions: HashMap<&'a TenantId, u64>,
    tenants: HashMap<&'a TenantId, &'a TenantState>,
    clients: HashMap<(&'a TenantId, &'a ClientId), &'a ClientState>,
}

impl<'a> Rows<'a> {
    fn of(request: &'a CommitRequest) -> Self {
        let revisions =
            request.expected_revisions.iter().map(|(tenant, revision)| (tenant, *revision)).collect();
        let tenants = request.before.iter().map(|state| (&state.tenant.id, state)).collect();
        let rows = request.before.iter().flat_map(|state| state.clients.iter().map(move |row| (state, row)));
        let clients = rows.map(|(state, row)| ((&state.tenant.id, &row.client.id), row)).collect();
        Self { request, revisions, tenants, clients }
    }

    fn decide(&self) -> Option<Decided> {
        let mut decided = Decided::default();
        for change in &self.request.changes {
            match change {
                Change::Tenant(change) => self.decide_tenant(&mut decided, change)?,
                Change::ResourceServer(tenant, change) => {
                    let key = (tenant.clone(), change.after.audience.clone());
                    let before = decided.resource_servers.get(&key).or_else(|| {
                        let rows = &self.tenants.get(tenant)?.resource_servers;
                        rows.iter().find(|row| row.resource_server.audience == key.1)
                    });
                    let before = before.map(|row| (&row.resource_server, row.lifecycle));
                    let (resource_server, lifecycle) = self.row_after(change, before)?;
                    decided.resource_servers.insert(key, ResourceServerState { resource_server, lifecycle });
                }
                Change::Client(change) => {
                    let key = (change.after.tenant.clone(), change.after.id.clone());
                    let before = decided.clients.get(&key);
                    let before = before.or_else(|| self.clients.get(&(&key.0, &key.1)).copied());
                    let before = before.map(|row| (&row.client, row.lifecycle));
                    let (client, lifecycle) = self.row_after(change, before)?;
                    let client = Client { secrets: Vec::new(), ..client };
                    decided.clients.insert(key, ClientState { client, lifecycle, secrets: Vec::new() });
                }
                Change::Secret(tenant, client, change) => {
                    let row = self.secret(&(tenant, client), &change.id);
                    match (change.kind, row) {
                        // Its row comes with its hash, beside the change.
                        (SecretChangeKind::Added { .. }, None) => {}
                        (SecretChangeKind::Added { .. }, Some(_)) | (_, None) => return None,
                        (kind, Some(row)) => {
                            let key = (tenant.clone(), client.clone(), change.id.clone());
                            let row = decided.secrets.get(&key).unwrap_or(row).clone();
                            decided.secrets.insert(key, self.secret_after(row, kind)?);
                        }
                    }
                }
                Change::Account(change) => self.decide_account(&mut decided, change)?,
                Change::Sessions(tenant, account, None) => {
                    let key = (tenant.clone(), account.clone());
                    let row = self.account(&decided, &key);
                    let mut row = row.filter(|row| row.lifecycle.deleted_at.is_none())?;
                    row.account.valid_from = row.account.valid_from.max(self.next_second());
                    decided.accounts.insert(key, row);
                }
                Change::FirstKey(..)
                | Change::Key(..)
                | Change::Application(_)
                | Change::AccountPassword(..)
                | Change::Sessions(_, _, Some(_))
                | Change::Consent(..)
                | Change::Unlock(..)
                | Change::Tokens(..) => {}
            }
        }
        for new in &self.request.passwords {
            self.decide_password(&mut decided, new)?;
        }
        for new in &self.request.secrets {
            let managed_by = self.request.managed_by;
            let row = SecretState {
                declared_expires_at: new.secret.expires_at.filter(|_| managed_by == ManagedBy::Config),
                secret: new.secret.clone(),
                managed_by,
                revoked_by: None,
                declared_digest: new.declared_digest,
            };
            let key = (new.tenant.clone(), new.client.clone(), new.secret.id.clone());
            decided.new_secrets.insert(key, row);
        }
        Some(decided).filter(|_| self.has_own_metadata())
    }

    /// Only the files note the fingerprint of a declaration, and only at their own tenants.
    fn has_own_metadata(&self) -> bool {
        let own = |tenant| {
            let state = self.tenants.get(tenant);
            state.is_none_or(|state| state.lifecycle.managed_by == ManagedBy::Config)
        };
        let metadata = &self.request.tenant_metadata;
        self.request.managed_by != ManagedBy::Config || metadata.iter().all(|metadata| own(&metadata.tenant))
    }

    fn decide_tenant(&self, decided: &mut Decided, change: &RowChange<Tenant>) -> Option<()> {
        let id = &change.after.id;
        let earlier =
            decided.tenants.get(id).map(|row| (&row.tenant, row.lifecycle, row.keys_published_until));
        let before = earlier.or_else(|| {
            let state = self.tenants.get(id)?;
            Some((&state.tenant, state.lifecycle, published_until(&state.tenant)))
        });
        let (tenant, lifecycle) =
            self.row_after(change, before.map(|(tenant, lifecycle, _)| (tenant, lifecycle)))?;
        // A tenant that stops serving, or still does not serve, keeps its keys published until the later time.
        let until = before.and_then(|(_, _, until)| until).max(published_until(&change.after));
        let row = DecidedTenant {
            keys_published_until: until.filter(|_| !lifecycle.serves()),
            revision: self.revisions.get(id).map_or(1, |revision| revision.saturating_add(1)),
            tenant,
            lifecycle,
        };
        decided.tenants.insert(id.clone(), row);
        Some(())
    }

    fn decide_account(&self, decided: &mut Decided, change: &RowChange<Account>) -> Option<()> {
        let key = (change.after.tenant.clone(), change.after.id.clone());
        let before = self.account(decided, &key);
        let known = before.as_ref().map(|row| (&row.account, row.lifecycle));
        let (fields, lifecycle) = self.row_after(change, known)?;
        let now = self.request.now;
        let is_deleted = change.kind == ChangeKind::Deleted;
        // Of a deleted account nothing of the person is left.
        let emptied = || Account::new(key.0.clone(), key.1.clone(), now);
        let mut account = if is_deleted { emptied() } else { fields };
        if change.kind == ChangeKind::Retired {
            // Another declaration may have its names. Declared again, it gets them from the declaration.
            account.identifiers.clear();
            account.external_id = None;
        }
        if let Some(AccountState { account: before, .. }) = &before {
            account.valid_from = before.valid_from;
            account.password_changed_at = before.password_changed_at.filter(|_| !is_deleted);
        }
        if matches!(change.kind, ChangeKind::Suspended | ChangeKind::Retired | ChangeKind::Deleted) {
            account.valid_from = account.valid_from.max(self.next_second());
        }
        account.status = if lifecycle.serves() { AccountStatus::Active } else { AccountStatus::Suspended };
        account.updated_at = lifecycle.updated_at;
        let declared_digest = before.filter(|_| !is_deleted).and_then(|before| before.declared_digest);
        decided.accounts.insert(key, AccountState { account, lifecycle, declared_digest });
        Some(())
    }

    /// Sessions that began before a change of the password end with it.
    fn decide_password(&self, decided: &mut Decided, new: &NewPassword) -> Option<()> {
        let key = (new.tenant.clone(), new.account.clone());
        let mut row = self.account(decided, &key).filter(|row| row.lifecycle.is_live())?;
        // The first password of an account ends nothing.
        let had_one = row.account.password_changed_at.is_some();
        let from = if had_one { self.next_second() } else { self.request.now };
        row.account.valid_from = row.account.valid_from.max(from);
        row.account.password_changed_at = new.password.as_ref().map(|_| self.request.now);
        row.declared_digest = new.declared_digest;
        decided.accounts.insert(key, row);
        Some(())
    }

    /// The first instant of an authentication that a change of now does not end: instants are whole seconds, and one of the same second may
    /// have come before.
    fn next_second(&self) -> Timestamp {
        self.request.now + Lifetime::from_seconds(1)
    }

    /// As it is now, or as an earlier change of the same commit leaves it.
    fn account(&self, decided: &Decided, key: &(TenantId, AccountId)) -> Option<AccountState> {
        let stored = || self.tenants.get(&key.0)?.accounts.iter().find(|row| row.account.id == key.1);
        decided.accounts.get(key).or_else(stored).cloned()
    }

    /// The fields change only with a change of fields; every change moves the lifecycle.
    fn row_after<T: Clone>(
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
                let has_new_fields = matches!(kind, ChangeKind::Changed | ChangeKind::Restored);
                let fields = if has_new_fields { &change.after } else { fields };
                Some((fields.clone(), lifecycle.after(kind, managed_by, now)?))
            }
        }
    }

    fn secret(&self, client: &(&TenantId, &ClientId), id: &SecretId) -> Option<&'a SecretState> {
        self.clients.get(client)?.secrets.iter().find(|row| row.secret.id == *id)
    }

    /// The API changes every secret, the files only those that they declared. A secret that another interface revoked stays revoked.
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

/// A tenant that never had a token has no such time, which is read as 0.
fn published_until(tenant: &Tenant) -> Option<Timestamp> {
    match tenant.status {
        TenantStatus::Suspended { keys_published_until } if keys_published_until.seconds() > 0 => {
            Some(keys_published_until)
        }
        TenantStatus::Suspended { .. } | TenantStatus::Active => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edit::test_states::{NOW, at, state};

    /// What the row is before, what happens, and what it is then.
    type Case<'a> = (&'a dyn Fn(&mut RowLifecycle), ChangeKind, RowLifecycle);

    fn after(change: impl Fn(&mut RowLifecycle), kind: ChangeKind, by: ManagedBy) -> Option<RowLifecycle> {
        let mut lifecycle = RowLifecycle::fresh(ManagedBy::Config, at(0));
        change(&mut lifecycle);
        lifecycle.after(kind, by, at(5))
    }

    #[test]
    fn each_change_moves_the_lifecycle_of_a_row() {
        use ManagedBy::{Api, Config};
        let changed = RowLifecycle { updated_at: at(5), ..RowLifecycle::fresh(Config, at(0)) };
        let retired = |row: &mut RowLifecycle| row.retired_at = Some(at(1));
        let suspended = |row: &mut RowLifecycle| row.suspended_at = Some(at(1));
        let due = |row: &mut RowLifecycle| row.deletion_due_at = Some(at(9));
        let now = Some(at(5));
        let cases: [Case<'_>; 8] = [
            (&|_| {}, ChangeKind::Changed, changed),
            (&retired, ChangeKind::Restored, changed),
            (&|_| {}, ChangeKind::Retired, RowLifecycle { retired_at: now, ..changed }),
            (&|_| {}, ChangeKind::Suspended, RowLifecycle { suspended_at: now, ..changed }),
            (&suspended, ChangeKind::Resumed, changed),
            (
                &|_| {},
                ChangeKind::DeletionScheduled { due_at: at(9) },
                RowLifecycle { deletion_due_at: Some(at(9)), ..changed },
            ),
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
            (ChangeKind::DeletionScheduled { due_at: at(9) }, true),
            (ChangeKind::DeletionCancelled, true),
        ] {
            assert_eq!(after(|_| {}, kind, Api).is_some(), expected, "{kind:?}");
        }
        assert!(after(retired, ChangeKind::Deleted, Api).is_some());
        assert!(after(retired, ChangeKind::Changed, Config).is_none());
    }

    /// Until when the keys of a tenant stay published after this change of it.
    fn published(
        before: impl Fn(&mut TenantState),
        kind: ChangeKind,
        until: Option<u64>,
    ) -> Option<Timestamp> {
        let mut state = state("t");
        before(&mut state);
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
        let decided = Decided::of(&request).unwrap().unwrap();
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
