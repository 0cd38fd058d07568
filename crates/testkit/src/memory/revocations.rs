//! What tenants have revoked.

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
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.answer(&self.calls.revoke_token, |rows| rows.revoke_people(tenant, subject.clone(), now)).await
    }

    fn notice_revocations(&self, _: &TenantId) {
        self.calls.noticed_revocations.fetch_add(1, Ordering::SeqCst);
    }

    async fn delete_ended_revocations(&self, now: Timestamp) -> Result<u64, StoreError> {
        self.administer(|rows| {
            let mut deleted = 0;
            for revoked in rows.revocations.values_mut() {
                let before = revoked.len();
                revoked.retain(|_, (_, expires_at)| *expires_at > now);
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
        let revoked = revoked.map(|(subject, (issued_until, expires_at))| Revocation {
            subject: subject.clone(),
            issued_until: *issued_until,
            expires_at: expires_at.saturating_sub(subject.kept_for_grants()),
        });
        RevocationFacts::of(tenant.clone(), revoked)
    }

    fn revoke_token(&mut self, tenant: &TenantId, token: &TokenRevocation, now: Timestamp) {
        let TokenRevocation { client, jti, issued_at, expires_at } = token;
        let subject = RevokedSubject::Token(client.clone(), jti.clone());
        let revoked = self.revocations.entry(tenant.clone()).or_default();
        if revoked.contains_key(&subject) {
            return;
        }
        revoked.insert(subject, (*issued_at, *expires_at + CLOCKS));
        let is_token = |subject: &&RevokedSubject| matches!(subject, RevokedSubject::Token(..));
        let is_of_client =
            |subject: &RevokedSubject| matches!(subject, RevokedSubject::Token(owner, _) if owner == client);
        let of_tenant = revoked.keys().filter(is_token).count() as u64;
        let of_client = revoked.keys().filter(|subject| is_of_client(subject)).count() as u64;
        if of_client > TokenRevocation::MOST_OF_CLIENT || of_tenant > TokenRevocation::MOST_OF_TENANT {
            revoked.retain(|subject, _| !is_of_client(subject));
            self.revoke(tenant, RevokedSubject::AccessTokens(client.clone()), now.max(*issued_at));
        }
        self.changes.push(Invalidation::Revocations(tenant.clone()));
    }

    /// Revokes tokens of people, and logs it.
    pub(super) fn revoke_people(&mut self, tenant: &TenantId, subject: RevokedSubject, now: Timestamp) {
        if let RevokedSubject::Grant(id) = &subject {
            self.end_family(tenant, id, now);
        }
        let until = if subject.ends_for_good() { self.last_issued(tenant, now) } else { now };
        self.revoke(tenant, subject, until);
        self.limit_people(tenant, now);
        self.changes.push(Invalidation::Revocations(tenant.clone()));
    }

    fn limit_people(&mut self, tenant: &TenantId, now: Timestamp) {
        let Some(revoked) = self.revocations.get_mut(tenant) else { return };
        let of_people = revoked.keys().filter(|subject| subject.is_of_person()).count() as u64;
        if of_people > RevokedSubject::MOST_OF_PEOPLE {
            revoked.retain(|subject, _| !subject.is_of_person());
            self.revoke(tenant, RevokedSubject::People, now);
        }
    }

    pub(super) fn write_revocations(&mut self, request: &CommitRequest) {
        for RevocationChange { tenant, subject, effect } in revocations(&request.changes) {
            let is_of_person = subject.is_of_person();
            match effect {
                RevocationEffect::Issued => self.revoke(&tenant, subject, request.now),
                RevocationEffect::Ended => {
                    let until = self.last_issued(&tenant, request.now);
                    self.revoke(&tenant, subject, until);
                }
                RevocationEffect::Resumed => {
                    let row = self.revocations.get_mut(&tenant).and_then(|revoked| revoked.get_mut(&subject));
                    if let Some((issued_until, _)) = row {
                        *issued_until = request.now.min(*issued_until);
                    }
                }
            }
            if is_of_person {
                self.limit_people(&tenant, request.now);
            }
        }
    }

    /// Until when who has not learned of an end may issue tokens.
    fn last_issued(&self, tenant: &TenantId, now: Timestamp) -> Timestamp {
        let stale = self.tenants.get(tenant).map(|row| row.state.tenant.stale_if_error);
        now + stale.unwrap_or(PROPAGATION) + PROPAGATION
    }

    fn revoke(&mut self, tenant: &TenantId, subject: RevokedSubject, until: Timestamp) {
        let Some(row) = self.tenants.get(tenant) else { return };
        let own = row.state.clients.iter().filter(|row| row.lifecycle.is_live());
        let own = own.filter_map(|row| row.client.access_token_lifetime);
        let longest = own.fold(row.state.tenant.access_token.lifetime, Ord::max);
        let last = (until + longest).max(row.state.previous_tokens_until.unwrap_or(until));
        let expires_at = last + subject.kept_for_grants() + CLOCKS;
        let revoked = self.revocations.entry(tenant.clone()).or_default();
        let (known_until, known_expiry) = revoked.entry(subject).or_insert((until, expires_at));
        *known_until = until.max(*known_until);
        *known_expiry = expires_at.max(*known_expiry);
    }
}
