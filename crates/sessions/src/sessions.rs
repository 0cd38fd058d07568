//! The service layer of this crate: find the session of a browser, begin one, end it.

use std::sync::Arc;

use accounts::Authentication;
use protocol::{Lifetime, Timestamp};
use secrets::{KeyedDigest, Pepper};
use subtle::ConstantTimeEq as _;
use tenancy::{StoreError, TenantId};

use crate::{FoundSession, Session, SessionId, SessionStore, SessionToken, SessionWrite, SignedIn};

/// The rows of a session's end: this many seconds share a partition, and so many partitions are in the ring.
const UNIT: u64 = 7 * 86_400;
const SLOTS: u64 = 16;
/// A use is noted once in this part of the idle time.
const USES: u64 = 20;
const LONGEST_USER_AGENT: usize = 256;

/// How long sessions last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionPolicy {
    /// Without a use.
    pub idle: Lifetime,
    /// In all.
    pub absolute: Lifetime,
}

/// Eight hours without a use, a day in all.
impl Default for SessionPolicy {
    fn default() -> Self {
        Self { idle: Lifetime::from_seconds(8 * 3_600), absolute: Lifetime::from_seconds(86_400) }
    }
}

/// The sessions of all tenants.
#[derive(Clone)]
pub struct Sessions {
    store: Arc<dyn SessionStore>,
    digests: Arc<KeyedDigest>,
    policy: SessionPolicy,
}

impl Sessions {
    /// Creates the service. Sessions are never read from a cache: one that was ended is ended everywhere.
    #[must_use]
    pub fn new(store: Arc<dyn SessionStore>, pepper: &Pepper, policy: SessionPolicy) -> Self {
        let digests = Arc::new(KeyedDigest::for_purpose(pepper.expose(), "latchkey session 1"));
        Self { store, digests, policy }
    }

    /// Who is signed in at this tenant in the browser that has this cookie.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn find(
        &self,
        tenant: &TenantId,
        token: &SessionToken,
        now: Timestamp,
    ) -> Result<Option<SignedIn>, StoreError> {
        let Some(found) = self.store.find_session(tenant, token.slot, &token.id).await? else {
            return Ok(None);
        };
        let FoundSession { session, .. } = &found;
        let is_own = session.tenant == *tenant
            && bool::from(session.token_digest.ct_eq(&token.digest(&self.digests, tenant)));
        if !is_own || !found.is_valid(now) {
            return Ok(None);
        }
        let since = now.seconds().saturating_sub(session.last_seen_at.seconds());
        if since > session.idle.seconds() / USES {
            self.store.touch_session(tenant, session.slot, &session.id, now).await?;
        }
        Ok(Some(SignedIn::new(found.session)))
    }

    /// A session of the person who has just proven who it is. It has a cookie of its own in every case: what another may have known of the
    /// browser before is worth nothing (session fixation). The same person goes on with the same session.
    #[must_use]
    pub fn begin(
        &self,
        authentication: &Authentication,
        before: Option<&SignedIn>,
        user_agent: &str,
        now: Timestamp,
    ) -> (SessionWrite, SessionToken) {
        let tenant = authentication.tenant();
        let before = before.map(SignedIn::session).filter(|session| session.tenant == *tenant);
        let own = before.filter(|session| session.account == *authentication.account());
        let expires_at = now + self.policy.absolute;
        let id = own.map_or_else(SessionId::generate, |session| session.id.clone());
        let token = SessionToken::generate(slot(expires_at), id);
        let session = Session {
            tenant: tenant.clone(),
            slot: token.slot,
            id: token.id.clone(),
            token_digest: token.digest(&self.digests, tenant),
            account: authentication.account().clone(),
            authenticated_at: authentication.at(),
            acr: authentication.acr().to_owned(),
            amr: authentication.methods().iter().map(|method| method.as_str().to_owned()).collect(),
            created_at: own.map_or(now, |session| session.created_at),
            last_seen_at: now,
            idle: self.policy.idle,
            expires_at,
            user_agent: user_agent.chars().take(LONGEST_USER_AGENT).collect(),
            ended_at: None,
        };
        let place = (session.slot, &session.id);
        let ended = before.map(|before| (before.slot, before.id.clone()));
        let ended = ended.filter(|(slot, id)| (*slot, id) != place);
        (SessionWrite { session, ended }, token)
    }

    /// Writes a session that has begun, where nothing else is written with it.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn write(&self, write: &SessionWrite) -> Result<(), StoreError> {
        self.store.write_session(&write.session.tenant, write).await
    }

    /// Ends the session.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn end(
        &self,
        tenant: &TenantId,
        signed_in: &SignedIn,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let Session { slot, id, .. } = signed_in.session();
        self.store.end_session(tenant, *slot, id, now).await
    }
}

/// The partition of a row that ends then.
fn slot(expires_at: Timestamp) -> u32 {
    u32::try_from(expires_at.seconds() / UNIT % SLOTS).unwrap_or_default()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn session() -> Session {
        let at = Timestamp::from_seconds(1_000);
        Session {
            tenant: TenantId::parse("acme").unwrap(),
            slot: 0,
            id: SessionId::generate(),
            token_digest: [0; 32],
            account: "usr_aaaaaaaaaaaaaaaaaaaaaaaaaa".parse().unwrap(),
            authenticated_at: at,
            acr: "urn:latchkey:acr:1".to_owned(),
            amr: vec!["pwd".to_owned()],
            created_at: at,
            last_seen_at: at,
            idle: Lifetime::from_seconds(100),
            expires_at: Timestamp::from_seconds(2_000),
            user_agent: String::new(),
            ended_at: None,
        }
    }

    #[test]
    fn slots_go_round() {
        assert_eq!(slot(Timestamp::from_seconds(0)), 0);
        assert_eq!(slot(Timestamp::from_seconds(UNIT * 15 + 1)), 15);
        assert_eq!(slot(Timestamp::from_seconds(UNIT * 16)), 0);
    }
}
