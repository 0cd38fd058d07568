//! What tenants have revoked.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use administration::{CommitRequest, Invalidation, RevocationChange, RevocationEffect, revocations};
use async_trait::async_trait;
use protocol::{Lifetime, Timestamp};
use registry::{Revocation, RevocationFacts, RevocationStore, RevokedSubject, TokenRevocation};
use tenancy::{StoreError, TenantId};

use super::MemoryStore;
use super::rows::Rows;

/// Longer than any cache takes a row as fresh.
const PROPAGATION: Lifetime = Lifetime::from_seconds(60);
/// How long a row is kept after its last token, for a clock that is behind, and for a verifier that allows so much of it.
const CLOCKS: Lifetime = Lifetime::from_seconds(60);

/// What is kept of a subject.
#[derive(Clone)]
pub(super) struct RevokedRow {
    issued_until: Timestamp,
    expires_at: Timestamp,
    account: Option<String>,
}

#[async_trait]
impl RevocationStore for MemoryStore {
    async fn find_revocations(&self, tenant: &TenantId) -> Result<Arc<RevocationFacts>, StoreError> {
        self.answer(&self.calls.find_revocations, |rows| Arc::new(rows.revocation_facts(tenant))).await
    }

    async fn revoke_token(
        &self,
        tenant: &TenantId,
        token: &TokenRevocation,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.answer(&self.calls.revoke_token, |rows| rows.revoke_token(tenant, token, now)).await
    }

    async fn revoke_people(
        &self,
        tenant: &TenantId,
        subject: &RevokedSubject,
        account: Option<&str>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let revoke = |rows: &mut Rows| rows.revoke_people(tenant, subject.clone(), account, now);
        self.answer(&self.calls.revoke_token, revoke).await
    }

    fn notice_revocations(&self, _: &TenantId) {
        self.calls.noticed_revocations.fetch_add(1, Ordering::SeqCst);
    }

    async fn delete_ended_revocations(&self, now: Timestamp) -> Result<u64, StoreError> {
        self.administer(|rows| {
            let mut deleted = 0;
            for revoked in rows.revocations.values_mut() {
                let before = revoked.len();
                revoked.retain(|_, row| row.expires_at > now);
                deleted += before - revoked.len();
            }
            deleted as u64
        })
        .await
    }
}

impl Rows {
    fn revocation_facts(&self, tenant: &TenantId) -> RevocationFacts {
        let revoked = self.revocations.get(tenant).into_iter().flatten();
        let revoked = revoked.map(|(subject, row)| Revocation {
            subject: subject.clone(),
            issued_until: row.issued_until,
            expires_at: row.expires_at.saturating_sub(subject.kept_for_grants()),
        });
        RevocationFacts::of(tenant.clone(), revoked)
    }

    fn revoke_token(&mut self, tenant: &TenantId, token: &TokenRevocation, now: Timestamp) {
        let TokenRevocation { client, jti, issued_at, expires_at, sub } = token;
        let subject = RevokedSubject::Token(client.clone(), jti.clone());
        let revoked = self.revocations.entry(tenant.clone()).or_default();
        if revoked.contains_key(&subject) {
            return;
        }
        let expires_at = *expires_at + CLOCKS;
        revoked.insert(subject, RevokedRow { issued_until: *issued_at, expires_at, account: sub.clone() });
        let until = now.max(*issued_at);
        let is_of_client = |subject: &RevokedSubject, row: &RevokedRow| {
            row.account.is_none() && matches!(subject, RevokedSubject::Token(owner, _) if owner == client)
        };
        let of_client = revoked.iter().filter(|(subject, row)| is_of_client(subject, row)).count() as u64;
        if of_client > TokenRevocation::MOST_OF_CLIENT {
            revoked.retain(|subject, row| !is_of_client(subject, row));
            self.revoke(tenant, RevokedSubject::AccessTokens(client.clone()), None, until);
        }
        self.limit_accounts(tenant, until);
        self.changes.push(Invalidation::Revocations(tenant.clone()));
    }

    /// Revokes tokens of people, and logs it.
    pub(super) fn revoke_people(
        &mut self,
        tenant: &TenantId,
        subject: RevokedSubject,
        account: Option<&str>,
        now: Timestamp,
    ) {
        if let RevokedSubject::Grant(id) = &subject {
            self.end_family(tenant, id, now);
        }
        let until = if subject.ends_for_good() { self.last_issued(tenant, now) } else { now };
        let account = account.filter(|_| subject.is_counted()).map(str::to_owned);
        self.revoke(tenant, subject, account, until);
        self.limit_accounts(tenant, now);
        self.changes.push(Invalidation::Revocations(tenant.clone()));
    }

    fn limit_accounts(&mut self, tenant: &TenantId, now: Timestamp) {
        let Some(revoked) = self.revocations.get_mut(tenant) else { return };
        let mut of_accounts: BTreeMap<String, Vec<(Timestamp, RevokedSubject)>> = BTreeMap::new();
        for (subject, row) in revoked.iter() {
            let Some(account) = &row.account else { continue };
            of_accounts.entry(account.clone()).or_default().push((row.issued_until, subject.clone()));
        }
        of_accounts.retain(|_, rows| rows.len() as u64 > RevokedSubject::MOST_OF_ACCOUNT);
        for (account, mut rows) in of_accounts {
            rows.sort();
            let latest = usize::try_from(RevokedSubject::LATEST_OF_ACCOUNT).unwrap_or(usize::MAX);
            rows.truncate(rows.len().saturating_sub(latest));
            if let Some(revoked) = self.revocations.get_mut(tenant) {
                rows.iter().for_each(|(_, subject)| drop(revoked.remove(subject)));
            }
            self.revoke(tenant, RevokedSubject::Account(account), None, now);
        }
    }

    pub(super) fn write_revocations(&mut self, request: &CommitRequest) {
        let mut tenants = BTreeSet::new();
        for RevocationChange { tenant, subject, account, effect } in revocations(&request.changes) {
            if account.is_some() {
                tenants.insert(tenant.clone());
            }
            match effect {
                RevocationEffect::Issued => self.revoke(&tenant, subject, account, request.now),
                RevocationEffect::Ended => {
                    let until = self.last_issued(&tenant, request.now);
                    self.revoke(&tenant, subject, account, until);
                }
                RevocationEffect::Resumed => {
                    let row = self.revocations.get_mut(&tenant).and_then(|revoked| revoked.get_mut(&subject));
                    if let Some(row) = row {
                        row.issued_until = request.now.min(row.issued_until);
                    }
                }
            }
        }
        for tenant in tenants {
            self.limit_accounts(&tenant, request.now);
        }
    }

    /// Until when who has not learned of an end may issue tokens.
    fn last_issued(&self, tenant: &TenantId, now: Timestamp) -> Timestamp {
        let stale = self.tenants.get(tenant).map(|row| row.state.tenant.stale_if_error);
        now + stale.unwrap_or(PROPAGATION) + PROPAGATION
    }

    fn revoke(
        &mut self,
        tenant: &TenantId,
        subject: RevokedSubject,
        account: Option<String>,
        until: Timestamp,
    ) {
        let Some(row) = self.tenants.get(tenant) else { return };
        let own = row.state.clients.iter().filter(|row| row.lifecycle.is_live());
        let own = own.filter_map(|row| row.client.access_token_lifetime);
        let longest = own.fold(row.state.tenant.access_token.lifetime, Ord::max);
        let last = (until + longest).max(row.state.previous_tokens_until.unwrap_or(until));
        let expires_at = last + subject.kept_for_grants() + CLOCKS;
        let revoked = self.revocations.entry(tenant.clone()).or_default();
        let row = RevokedRow { issued_until: until, expires_at, account };
        let known = revoked.entry(subject).or_insert_with(|| row.clone());
        known.issued_until = row.issued_until.max(known.issued_until);
        known.expires_at = row.expires_at.max(known.expires_at);
        known.account = known.account.take().or(row.account);
    }
}
