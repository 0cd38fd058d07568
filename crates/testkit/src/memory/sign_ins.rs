//! Sessions, codes, pushed requests, and what people have allowed.

use accounts::AccountId;
use async_trait::async_trait;
use grants::{
    AuthorizationCode, AuthorizationStore, CodeKey, CodeNotIssued, CodeWrite, Consent, MostWaiting,
    PushedRequest, PushedRequestStore, Redeemed, Redemption,
};
use protocol::{Lifetime, Timestamp};
use registry::{ClientId, RevokedSubject};
use sessions::{FoundSession, Session, SessionId, SessionStore, SessionWrite};
use tenancy::{StoreError, TenantId};

use super::MemoryStore;
use super::rows::Rows;

/// A code, and whether it was redeemed.
#[derive(Clone)]
pub(super) struct CodeRow {
    code: AuthorizationCode,
    is_redeemed: bool,
}

/// A pushed request, and whether a code was issued for it.
#[derive(Clone)]
pub(super) struct PushedRow {
    request: PushedRequest,
    is_used: bool,
}

impl Rows {
    /// From when on authentications of the account count, where it may sign in.
    pub(super) fn valid_from(&self, tenant: &TenantId, account: &AccountId) -> Option<Timestamp> {
        let (row, _) = self.live_accounts(tenant).find(|(row, _)| row.account.id == *account)?;
        let from = row.account.valid_from;
        row.account.accepts_authentication_of(from).then_some(from)
    }

    /// Says whether it was written: a session that has ended stays as it is.
    fn write_session(&mut self, write: &SessionWrite) -> bool {
        let session = write.session();
        let key = |slot: u32| (session.tenant.clone(), slot, session.id.clone());
        let moved = write.ended().filter(|(_, id)| *id == session.id);
        if let Some((slot, _)) = moved {
            let before = self.sessions.get_mut(&key(*slot));
            let Some(before) = before.filter(|before| before.ended_at.is_none()) else { return false };
            before.ended_at = Some(session.last_seen_at);
        }
        if self.sessions.get(&key(session.slot)).is_some_and(|row| row.ended_at.is_some()) {
            return false;
        }
        self.sessions.insert(key(session.slot), session.clone());
        match (moved, write.ended()) {
            // It goes on in another partition, and keeps its tokens.
            (Some((slot, id)), _) => self.move_families(&session.tenant, id, (*slot, session.slot)),
            (None, Some((slot, id))) => self.end_session(&session.tenant, (*slot, id), session.last_seen_at),
            (None, None) => {}
        }
        true
    }

    /// Whether the session of a code has given its clients, or this one, as many as it may. Codes of the last minute are counted.
    fn has_too_many_codes(&self, code: &AuthorizationCode) -> bool {
        let since = code.created_at.saturating_sub(AuthorizationCode::SPAN);
        let is_beside = |row: &&CodeRow| {
            row.code.tenant == code.tenant && row.code.session == code.session && row.code.created_at > since
        };
        let beside: Vec<_> = self.codes.values().filter(is_beside).collect();
        let of_client = beside.iter().filter(|row| row.code.client == code.client).count();
        beside.len() >= AuthorizationCode::MOST_OF_SESSION as usize
            || of_client >= AuthorizationCode::MOST_OF_CLIENT as usize
    }

    /// Ends a session with its tokens, and queues what its clients are told of it, unless it has ended before.
    fn end_session(&mut self, tenant: &TenantId, (slot, id): (u32, &SessionId), now: Timestamp) {
        let session = self.sessions.get_mut(&(tenant.clone(), slot, id.clone()));
        let Some(session) = session.filter(|session| session.ended_at.is_none()) else { return };
        session.ended_at = Some(now);
        let account = session.account.clone();
        self.queue_logouts(tenant, id, now);
        // No token is of a session that gave no client a code.
        if self.session_clients.keys().any(|(of, session, _)| of == tenant && session == id) {
            let subject = RevokedSubject::Session(id.as_str().to_owned());
            self.revoke_people(tenant, subject, Some(account.as_str()), now);
        }
    }
}

#[async_trait]
impl SessionStore for MemoryStore {
    async fn find_session(
        &self,
        tenant: &TenantId,
        slot: u32,
        id: &SessionId,
    ) -> Result<Option<FoundSession>, StoreError> {
        self.answer(&self.calls.sign_ins, |rows| {
            let session = rows.sessions.get(&(tenant.clone(), slot, id.clone()))?.clone();
            let valid_from = rows.valid_from(tenant, &session.account);
            Some(FoundSession { session, valid_from })
        })
        .await
    }

    async fn write_session(&self, _tenant: &TenantId, write: &SessionWrite) -> Result<bool, StoreError> {
        self.answer(&self.calls.sign_ins, |rows| rows.write_session(write)).await
    }

    async fn touch_session(
        &self,
        tenant: &TenantId,
        slot: u32,
        id: &SessionId,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.answer(&self.calls.sign_ins, |rows| {
            if let Some(session) = rows.sessions.get_mut(&(tenant.clone(), slot, id.clone())) {
                session.last_seen_at = session.last_seen_at.max(now);
            }
        })
        .await
    }

    async fn end_session(
        &self,
        tenant: &TenantId,
        slot: u32,
        id: &SessionId,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.answer(&self.calls.sign_ins, |rows| rows.end_session(tenant, (slot, id), now)).await
    }

    async fn delete_expired_sign_ins(&self, now: Timestamp) -> Result<u64, StoreError> {
        self.administer(|rows| {
            let count = |rows: &Rows| {
                rows.sessions.len()
                    + rows.codes.len()
                    + rows.device_codes.len()
                    + rows.pushed.len()
                    + rows.families.len()
            };
            let before = count(rows);
            rows.sessions.retain(|_, session| session.expires_at > now);
            let ended = now.saturating_sub(Lifetime::from_seconds(60));
            rows.codes.retain(|_, row| {
                row.code.expires_at > now && (row.is_redeemed || row.code.valid_until > ended)
            });
            rows.device_codes.retain(|_, code| code.expires_at > now);
            rows.pushed.retain(|_, row| {
                let is_over = row.request.valid_until <= ended;
                row.request.expires_at > now && !(is_over && (row.is_used || row.request.opened_at.is_none()))
            });
            rows.families.retain(|_, family| family.expires_at > now);
            (before - count(rows)) as u64
        })
        .await
    }
}

#[async_trait]
impl PushedRequestStore for MemoryStore {
    async fn add_pushed(
        &self,
        tenant: &TenantId,
        request: &PushedRequest,
        most: MostWaiting,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.answer(&self.calls.sign_ins, |rows| {
            let waits = |row: &PushedRow| {
                let PushedRow { request: other, is_used } = row;
                other.tenant == *tenant
                    && other.client == request.client
                    && other.valid_until > now
                    && !is_used
            };
            let waiting: Vec<_> = rows.pushed.values().filter(|row| waits(row)).collect();
            let of_source = |row: &&&PushedRow| row.request.pushed_from == request.pushed_from;
            let of_site = |row: &&&PushedRow| row.request.pushed_from_site() == request.pushed_from_site();
            let is_added = waiting.len() < most.of_client as usize
                && waiting.iter().filter(of_source).count() < most.of_source as usize
                && waiting.iter().filter(of_site).count() < most.of_site as usize;
            if is_added {
                let key = (tenant.clone(), request.slot, request.digest);
                rows.pushed.insert(key, PushedRow { request: request.clone(), is_used: false });
            }
            is_added
        })
        .await
    }

    async fn note_opened(&self, tenant: &TenantId, key: CodeKey, now: Timestamp) -> Result<(), StoreError> {
        self.answer(&self.calls.sign_ins, |rows| {
            if let Some(row) = rows.pushed.get_mut(&(tenant.clone(), key.slot, key.digest)) {
                row.request.opened_at.get_or_insert(now);
            }
        })
        .await
    }

    async fn find_pushed(
        &self,
        tenant: &TenantId,
        key: CodeKey,
        now: Timestamp,
    ) -> Result<Option<PushedRequest>, StoreError> {
        self.answer(&self.calls.sign_ins, |rows| {
            let row = rows.pushed.get(&(tenant.clone(), key.slot, key.digest))?;
            (!row.is_used && row.request.expires_at > now).then(|| row.request.clone())
        })
        .await
    }
}

#[async_trait]
impl AuthorizationStore for MemoryStore {
    async fn find_consent(
        &self,
        tenant: &TenantId,
        account: &AccountId,
        client: &ClientId,
    ) -> Result<Option<Consent>, StoreError> {
        let key = (tenant.clone(), account.clone(), client.clone());
        self.answer(&self.calls.sign_ins, |rows| rows.consents.get(&key).cloned()).await
    }

    async fn write_code(
        &self,
        tenant: &TenantId,
        write: &CodeWrite<'_>,
    ) -> Result<Result<(), CodeNotIssued>, StoreError> {
        self.answer(&self.calls.sign_ins, |rows| {
            let pushed = write.pushed.map(|CodeKey { slot, digest }| (tenant.clone(), slot, digest));
            let is_live = |row: &PushedRow| !row.is_used && row.request.expires_at > write.code.created_at;
            if pushed.as_ref().is_some_and(|key| !rows.pushed.get(key).is_some_and(is_live)) {
                return Err(CodeNotIssued::RequestUsed);
            }
            if rows.has_too_many_codes(write.code) {
                return Err(CodeNotIssued::TooMany);
            }
            if write.session.is_some_and(|session| !rows.write_session(session)) {
                return Err(CodeNotIssued::SessionEnded);
            }
            if let Some(row) = pushed.and_then(|key| rows.pushed.get_mut(&key)) {
                row.is_used = true;
            }
            if let Some(consent) = write.consent {
                let key = (tenant.clone(), consent.account.clone(), consent.client.clone());
                rows.consents.insert(key, consent.clone());
            }
            let key = (tenant.clone(), write.code.slot, write.code.digest);
            rows.codes.insert(key, CodeRow { code: write.code.clone(), is_redeemed: false });
            let key = (tenant.clone(), write.code.session.clone(), write.code.client.clone());
            rows.session_clients.insert(key, write.code.account.clone());
            Ok(())
        })
        .await
    }

    async fn redeem_code(
        &self,
        tenant: &TenantId,
        redemption: &Redemption<'_>,
        now: Timestamp,
    ) -> Result<Redeemed, StoreError> {
        self.answer(&self.calls.sign_ins, |rows| redeem(rows, tenant, redemption, now)).await
    }

    async fn discard_code(
        &self,
        tenant: &TenantId,
        key: CodeKey,
        grant: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.answer(&self.calls.sign_ins, |rows| {
            rows.codes.remove(&(tenant.clone(), key.slot, key.digest));
            rows.end_family(tenant, grant, now);
        })
        .await
    }
}

fn redeem(rows: &mut Rows, tenant: &TenantId, redemption: &Redemption<'_>, now: Timestamp) -> Redeemed {
    let Redemption { key, client, family, .. } = redemption;
    let key = (tenant.clone(), key.slot, key.digest);
    let Some(CodeRow { code, is_redeemed }) = rows.codes.get(&key).cloned() else { return Redeemed::Refused };
    if code.client != **client {
        return Redeemed::Refused;
    }
    if is_redeemed {
        return Redeemed::Again(code.account);
    }
    let session = rows.sessions.get(&(tenant.clone(), code.session_slot, code.session.clone()));
    let is_signed_in = |session: &Session| session.ended_at.is_none() && session.expires_at > now;
    let is_right = redemption.is_for(tenant, &code, now)
        && session.is_some_and(is_signed_in)
        && rows.valid_from(tenant, &code.account).is_some_and(|from| from <= code.created_at);
    if !is_right {
        return Redeemed::Refused;
    }
    rows.codes.insert(key, CodeRow { code: code.clone(), is_redeemed: true });
    if let Some(family) = family.map(|new| code.family(new)) {
        rows.families.insert((tenant.clone(), family.slot, family.id), family);
    }
    Redeemed::First(Box::new(code))
}
