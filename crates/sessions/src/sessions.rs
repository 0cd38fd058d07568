//! Finds, begins and ends the sessions of browsers.

use std::net::IpAddr;
use std::sync::Arc;

use accounts::Authentication;
use secrets::{KeyedDigest, Pepper};
use tenancy::{SessionPolicy, Stored, TenantId};
use values::Timestamp;

use crate::{FoundSession, Session, SessionId, SessionStore, SessionToken, SessionWrite, SignedIn};

/// A use is written at most once in this fraction of the idle time.
const USES: u64 = 20;
const LONGEST_USER_AGENT: usize = 256;

#[derive(Clone, Copy, Debug)]
pub struct SignInBrowser<'a> {
    /// The `User-Agent` header.
    pub user_agent: &'a str,
    pub source: Option<IpAddr>,
    /// The person who is signed in with this browser already.
    pub before: Option<&'a SignedIn>,
    /// Whether the person wants to stay signed in after closing the browser.
    pub remembers: bool,
}

#[derive(Clone)]
pub struct Sessions {
    store: Arc<dyn SessionStore>,
    digests: Arc<KeyedDigest>,
}

impl Sessions {
    /// `store` must not be a cache, so that a session that was ended is ended everywhere.
    #[must_use]
    pub fn new(store: Arc<dyn SessionStore>, pepper: &Pepper) -> Self {
        let digests = Arc::new(KeyedDigest::for_purpose(pepper.expose(), "latchkey session 1"));
        Self { store, digests }
    }

    /// The person who is signed in at this tenant with this cookie.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn find(
        &self,
        tenant: &TenantId,
        policy: SessionPolicy,
        token: &SessionToken,
        now: Timestamp,
    ) -> Stored<Option<SignedIn>> {
        let Some(found) = self.store.find_session(tenant, token.slot, &token.id).await? else {
            return Ok(None);
        };
        let FoundSession { session, .. } = &found;
        let is_own = session.tenant == *tenant && token.has(&session.token_digest, &self.digests, tenant);
        if !is_own || !found.is_valid(policy, now) {
            return Ok(None);
        }
        let since = now.seconds().saturating_sub(session.last_seen_at.seconds());
        if since > session.idle_under(policy).seconds() / USES {
            self.store.touch_session(tenant, session.slot, &session.id, now).await?;
        }
        Ok(Some(SignedIn::new(found.session)))
    }

    /// Begins a session for a person who has just authenticated. The cookie is always new, so that an
    /// attacker who knows an earlier cookie gains nothing (session fixation). If the same person is already
    /// signed in, the session continues.
    #[must_use]
    pub fn begin(
        &self,
        authentication: &Authentication,
        policy: SessionPolicy,
        browser: SignInBrowser<'_>,
        now: Timestamp,
    ) -> (SessionWrite, SessionToken) {
        let SignInBrowser { user_agent, source, before, remembers } = browser;
        let remembered = remembers && policy.offers_to_remember();
        let (idle, absolute) = policy.lifetimes(remembered);
        let tenant = authentication.tenant();
        let before = before.map(SignedIn::session).filter(|session| session.tenant == *tenant);
        let own = before.filter(|session| session.account == *authentication.account());
        let expires_at = now + absolute;
        let id = own.map_or_else(SessionId::generate, |session| session.id.clone());
        let token = SessionToken::generate(Session::RING.slot(expires_at), id);
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
            idle,
            expires_at,
            remembered,
            user_agent: user_agent.chars().take(LONGEST_USER_AGENT).collect(),
            source: source.map(|source| source.to_string()),
            ended_at: None,
        };
        let place = (session.slot, &session.id);
        let ended = before.map(|before| (before.slot, before.id.clone()));
        let ended = ended.filter(|(slot, id)| (*slot, id) != place);
        (SessionWrite { session, ended }, token)
    }

    /// Writes a session, if nothing else is written in the same transaction. Returns `false` if the session
    /// that it continues has ended in the meantime; then the person must sign in again.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn write(&self, write: &SessionWrite) -> Stored<bool> {
        self.store.write_session(&write.session.tenant, write).await
    }

    /// # Errors
    /// If the store fails.
    pub async fn end(&self, tenant: &TenantId, signed_in: &SignedIn, now: Timestamp) -> Stored<()> {
        let Session { slot, id, .. } = signed_in.session();
        self.store.end_session(tenant, *slot, id, now).await
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicU64, Ordering};

    use async_trait::async_trait;
    use values::Lifetime;

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
            remembered: false,
            user_agent: String::new(),
            source: None,
            ended_at: None,
        }
    }

    /// A store with one session that counts the recorded uses.
    #[derive(Default)]
    struct OneRow {
        session: Mutex<Option<Session>>,
        notes: AtomicU64,
    }

    #[async_trait]
    impl SessionStore for OneRow {
        async fn find_session(&self, _: &TenantId, _: u32, _: &SessionId) -> Stored<Option<FoundSession>> {
            let session = self.session.lock().unwrap().clone();
            Ok(session.map(|session| FoundSession { session, valid_from: Some(Timestamp::from_seconds(0)) }))
        }

        async fn write_session(&self, _: &TenantId, write: &SessionWrite) -> Stored<bool> {
            *self.session.lock().unwrap() = Some(write.session.clone());
            Ok(true)
        }

        async fn touch_session(&self, _: &TenantId, _: u32, _: &SessionId, now: Timestamp) -> Stored<()> {
            self.notes.fetch_add(1, Ordering::Relaxed);
            self.session.lock().unwrap().as_mut().unwrap().last_seen_at = now;
            Ok(())
        }

        async fn end_session(&self, _: &TenantId, _: u32, _: &SessionId, _: Timestamp) -> Stored<()> {
            unreachable!()
        }

        async fn delete_expired_sign_ins(&self, _: Timestamp) -> Stored<u64> {
            unreachable!()
        }
    }

    /// How many uses are written for a session that is used in each of 1000 seconds. The session began under
    /// policy `began` and continues under policy `now`.
    async fn notes(began: SessionPolicy, now: SessionPolicy, remembers: bool) -> u64 {
        let (store, acme) = (Arc::new(OneRow::default()), TenantId::parse("acme").unwrap());
        let of = Sessions::new(store.clone(), &Pepper::generate());
        let start = Timestamp::from_seconds(10_000);
        let proof = Authentication::unproven(acme.clone(), session().account, start);
        let browser = SignInBrowser { user_agent: "", source: None, before: None, remembers };
        let (write, token) = of.begin(&proof, began, browser, start);
        assert!(of.write(&write).await.unwrap());
        for second in 1..=1_000 {
            let at = start + Lifetime::from_seconds(second);
            assert!(of.find(&acme, now, &token, at).await.unwrap().is_some(), "{second}");
        }
        store.notes.load(Ordering::Relaxed)
    }

    #[tokio::test]
    async fn uses_are_written_every_twentieth_of_idle_time() {
        let policy = |idle, remember| SessionPolicy {
            idle: Lifetime::from_seconds(idle),
            remember: Lifetime::from_seconds(remember),
            ..SessionPolicy::default()
        };
        assert_eq!(notes(policy(1_980, 0), policy(1_980, 0), false).await, 10);
        assert_eq!(notes(policy(1_980, 0), policy(180, 0), false).await, 100, "by the stricter policy");
        assert_eq!(notes(policy(180, 0), policy(1_980, 0), false).await, 100, "as it began");
        assert_eq!(notes(policy(1, 0), policy(1, 0), false).await, 1_000);
        assert_eq!(notes(policy(180, 86_400), policy(180, 86_400), true).await, 0);
    }
}
