//! Accounts.

use std::collections::BTreeSet;
use std::sync::Arc;

use accounts::{Account, AccountId, AccountPassword, AccountStore, Identifier};
use administration::rows::Decided;
use administration::{
    AccountQuery, AccountSignIns, AccountState, Accounts, Change, ChangeKind, CommitRequest, ConsentState,
    LISTED_SESSIONS, ManagedBy, RelatedAccounts, RowLifecycle,
};
use async_trait::async_trait;
use grants::RefreshFamily;
use sessions::{FoundSession, Session};
use tenancy::{StoreError, TenantId};

use super::commit::{CommitRefusal, require};
use super::rows::Rows;
use super::{MemoryStore, as_count};

#[async_trait]
impl AccountStore for MemoryStore {
    async fn find_by_identifier(
        &self,
        tenant: &TenantId,
        identifier: &Identifier,
    ) -> Result<Option<(Arc<Account>, Option<AccountPassword>)>, StoreError> {
        self.answer(&self.calls.find_by_identifier, |rows| {
            let mut live = rows.live_accounts(tenant);
            let (row, password) = live.find(|(row, _)| has(&row.account, identifier))?;
            Some((Arc::new(row.account.clone()), password.clone()))
        })
        .await
    }

    async fn replace_password(
        &self,
        tenant: &TenantId,
        account: &AccountId,
        before: &AccountPassword,
        after: &AccountPassword,
    ) -> Result<bool, StoreError> {
        self.answer(&self.calls.replace_password, |rows| {
            let row = rows.accounts.get_mut(&(tenant.clone(), account.clone()));
            let stored = row.map(|(_, password)| password).filter(|stored| stored.as_ref() == Some(before));
            stored.map(|stored| *stored = Some(after.clone())).is_some()
        })
        .await
    }

    async fn find_account(
        &self,
        tenant: &TenantId,
        account: &AccountId,
    ) -> Result<Option<Arc<Account>>, StoreError> {
        self.answer(&self.calls.find_account, |rows| {
            let (row, _) = rows.live_accounts(tenant).find(|(row, _)| row.account.id == *account)?;
            Some(Arc::new(row.account.clone()))
        })
        .await
    }
}

#[async_trait]
impl Accounts for MemoryStore {
    async fn find_accounts(
        &self,
        tenant: &TenantId,
        related: RelatedAccounts<'_>,
    ) -> Result<Vec<AccountState>, StoreError> {
        let RelatedAccounts { ids, identifiers, external_ids, declared } = related;
        self.administer(|rows| {
            let is_related = |row: &AccountState| {
                ids.contains(&row.account.id)
                    || identifiers.iter().any(|identifier| has(&row.account, identifier))
                    || row.account.external_id.as_ref().is_some_and(|id| external_ids.contains(id))
                    || (declared && row.lifecycle.managed_by == administration::ManagedBy::Config)
            };
            let of_tenant = rows.accounts.iter().filter(|((of, _), _)| of == tenant);
            of_tenant.map(|(_, (row, _))| row).filter(|row| is_related(row)).cloned().collect()
        })
        .await
    }

    async fn list_accounts(
        &self,
        tenant: &TenantId,
        query: &AccountQuery,
    ) -> Result<Vec<AccountState>, StoreError> {
        self.administer(|rows| {
            let place = |row: &AccountState| (row.lifecycle.created_at, row.account.id.clone());
            let mut found: Vec<_> = rows.live_accounts(tenant).map(|(row, _)| row.clone()).collect();
            found.retain(|row| query.after.as_ref().is_none_or(|after| *after < place(row)));
            found.sort_by_key(place);
            found.truncate(as_count(query.limit));
            found
        })
        .await
    }
}

#[async_trait]
impl AccountSignIns for MemoryStore {
    async fn list_sessions(
        &self,
        tenant: &TenantId,
        account: &AccountId,
    ) -> Result<Vec<FoundSession>, StoreError> {
        self.administer(|rows| {
            let own = rows.sessions.values().filter(|row| row.tenant == *tenant && row.account == *account);
            let mut own: Vec<_> = own.cloned().collect();
            own.sort_by(|one, other| (other.last_seen_at, &one.id).cmp(&(one.last_seen_at, &other.id)));
            own.truncate(as_count(LISTED_SESSIONS));
            let valid_from = rows.valid_from(tenant, account);
            own.into_iter().map(|session| FoundSession { session, valid_from }).collect()
        })
        .await
    }

    async fn list_consents(
        &self,
        tenant: &TenantId,
        account: &AccountId,
    ) -> Result<Vec<ConsentState>, StoreError> {
        self.administer(|rows| {
            let own = rows.consents.iter().filter(|((of, by, _), _)| of == tenant && by == account);
            let state = |consent: &grants::Consent| ConsentState {
                client: consent.client.clone(),
                scopes: consent.scopes.clone(),
                resources: consent.resources.iter().flat_map(|known| known.0.keys().cloned()).collect(),
                granted_at: consent.granted_at,
            };
            own.map(|(_, consent)| state(consent)).collect()
        })
        .await
    }
}

fn has(account: &Account, identifier: &Identifier) -> bool {
    account.identifiers.iter().any(|held| held.identifier == *identifier)
}

impl Rows {
    pub(super) fn live_accounts(
        &self,
        tenant: &TenantId,
    ) -> impl Iterator<Item = &(AccountState, Option<AccountPassword>)> {
        let of_tenant = self.accounts.iter().filter(move |((of, _), _)| of == tenant).map(|(_, row)| row);
        of_tenant.filter(|(row, _)| row.lifecycle.deleted_at.is_none())
    }

    pub(super) fn put_account(&mut self, account: Account, password: Option<AccountPassword>) {
        let key = (account.tenant.clone(), account.id.clone());
        let lifecycle = RowLifecycle::fresh(ManagedBy::Config, account.updated_at);
        self.accounts.insert(key, (AccountState { account, lifecycle, declared_digest: None }, password));
    }

    /// An identifier, and an external id, is one account's of its tenant.
    pub(super) fn write_accounts(
        &mut self,
        request: &CommitRequest,
        decided: &Decided,
    ) -> Result<(), CommitRefusal> {
        self.queue_logouts_of_commit(request);
        for (key, row) in &decided.accounts {
            let mut row = row.clone();
            row.account.identifiers.sort_by(|left, right| left.identifier.cmp(&right.identifier));
            let is_deleted = row.lifecycle.deleted_at.is_some();
            let password = self.accounts.remove(key).and_then(|(_, password)| password);
            self.accounts.insert(key.clone(), (row, password.filter(|_| !is_deleted)));
        }
        for change in &request.changes {
            match change {
                Change::Sessions(tenant, account, Some(id)) => self
                    .sessions
                    .retain(|_, row| row.tenant != *tenant || row.account != *account || row.id != *id),
                Change::Consent(tenant, account, client) => {
                    self.consents.remove(&(tenant.clone(), account.clone(), client.clone()));
                    let is_its = |family: &RefreshFamily| {
                        family.tenant == *tenant && family.account == *account && family.client == *client
                    };
                    self.families.retain(|_, family| !is_its(family));
                }
                Change::Account(change) if change.kind == ChangeKind::Deleted => {
                    let (tenant, account) = (&change.after.tenant, &change.after.id);
                    self.consents.retain(|(of, by, _), _| of != tenant || by != account);
                }
                _ => {}
            }
        }
        for new in &request.passwords {
            let key = (new.tenant.clone(), new.account.clone());
            let row = self.accounts.get_mut(&key).ok_or(CommitRefusal::StaleRevision)?;
            row.1.clone_from(&new.password);
        }
        let (mut identifiers, mut external_ids) = (BTreeSet::new(), BTreeSet::new());
        self.accounts.iter().try_for_each(|((tenant, _), (row, _))| {
            let account = &row.account;
            require(account.identifiers.iter().all(|held| identifiers.insert((tenant, &held.identifier))))?;
            require(account.external_id.iter().all(|id| external_ids.insert((tenant, id))))
        })
    }

    /// Before the sessions end that this commit ends.
    fn queue_logouts_of_commit(&mut self, request: &CommitRequest) {
        let ends = |session: &Session| {
            let is_of = |tenant: &TenantId, account: &AccountId| {
                session.tenant == *tenant && session.account == *account
            };
            let by_change = request.changes.iter().any(|change| match change {
                Change::Sessions(tenant, account, None) => is_of(tenant, account),
                Change::Sessions(tenant, account, Some(id)) => is_of(tenant, account) && session.id == *id,
                Change::Account(row) => {
                    let ends = [ChangeKind::Suspended, ChangeKind::Retired, ChangeKind::Deleted];
                    ends.contains(&row.kind) && is_of(&row.after.tenant, &row.after.id)
                }
                _ => false,
            });
            by_change || request.passwords.iter().any(|new| is_of(&new.tenant, &new.account))
        };
        let is_valid = |session: &&Session| {
            let from = self.valid_from(&session.tenant, &session.account);
            session.ended_at.is_none()
                && session.expires_at > request.now
                && from.is_some_and(|from| from <= session.authenticated_at)
        };
        let ended = self.sessions.values().filter(is_valid).filter(|session| ends(session));
        let ended: Vec<_> = ended.map(|session| (session.tenant.clone(), session.id.clone())).collect();
        for (tenant, session) in ended {
            self.queue_logouts(&tenant, &session, request.now);
        }
    }
}
