//! Sessions of the console: creates a link for the caller of the API, exchanges its code for a session, and
//! finds the session of a cookie.

use std::net::IpAddr;

use serde_json::json;
use sessions::{SessionId, SessionToken, SignedIn};
use tenancy::{Stored, TenantId};
use values::{Secret, Timestamp};

use super::{Administrator, Caller};
use crate::administrator::console_session::{ConsoleHolder, ConsoleSession};
use crate::audit::AuditRecord;
use crate::edit::EditError;
use crate::edit::Edited;
use crate::kinds::authority::{Actor, Authority};

impl Administrator {
    /// Creates the code of a link to the console for the caller, in the caller's own tenant. It is valid
    /// once, and for [`ConsoleSession::LINK`]. `is_authenticated`: the client has authenticated in the
    /// request.
    pub async fn create_console_link(
        &self,
        caller: &Caller,
        is_authenticated: bool,
    ) -> Edited<(TenantId, ConsoleSession, Secret)> {
        let tenant = caller.authority.home();
        let (holder, proven_at) = match &caller.token {
            Some(token) => token.to_holder(is_authenticated, caller.now),
            None if caller.authority.is_operator() => (ConsoleHolder::Operator, caller.now),
            None => {
                let message = "only a client with a token can create a link to the console";
                return Err(EditError::InsufficientPrivilege(message.to_owned()));
            }
        };
        let (mut link, token) =
            self.console_session(&tenant, caller.authority.actor().name.clone(), holder, caller.now);
        link.is_link = true;
        link.proven_at = proven_at;
        link.expires_at = link.ends_at(caller.now).min(caller.now + ConsoleSession::LINK);
        self.store.add_console_session(&tenant, &link, caller.now).await?;
        Ok((tenant, link, token.to_cookie()))
    }

    /// Creates a session for a signed-in person with permissions, and returns it with the value of its
    /// cookie.
    pub async fn begin_console_session(
        &self,
        signed_in: &SignedIn,
        source: Option<IpAddr>,
        now: Timestamp,
    ) -> Edited<Secret> {
        let (tenant, account) = (&signed_in.session().tenant, signed_in.account());
        let actor = Authority::of_account_holder(signed_in, source).actor().name.clone();
        let holder = ConsoleHolder::Account(account.clone());
        let (mut session, token) = self.console_session(tenant, actor, holder, now);
        session.proven_at = signed_in.session().authenticated_at;
        self.store.add_console_session(tenant, &session, now).await?;
        self.note_begun(&session, source, now).await?;
        Ok(token.to_cookie())
    }

    /// Finds the link of a code without using the code up.
    pub async fn console_link_of(
        &self,
        tenant: &TenantId,
        code: &str,
        now: Timestamp,
    ) -> Stored<Option<ConsoleSession>> {
        Ok(self.opened(tenant, code, now).await?.filter(|found| found.is_link))
    }

    /// Exchanges a link for its session, and returns the session with the value of its cookie.
    pub async fn exchange_console_link(
        &self,
        link: ConsoleSession,
        source: Option<IpAddr>,
        now: Timestamp,
    ) -> Edited<Option<Secret>> {
        let tenant = &link.tenant.clone();
        let token = SessionToken::generate(0, link.id.clone());
        let session = link.begun(token.digest(&self.console, tenant), now);
        if !self.store.begin_console_session(tenant, &session).await? {
            return Ok(None);
        }
        self.note_begun(&session, source, now).await?;
        Ok(Some(token.to_cookie()))
    }

    async fn note_begun(
        &self,
        ConsoleSession { tenant, actor, .. }: &ConsoleSession,
        source: Option<IpAddr>,
        now: Timestamp,
    ) -> Edited<()> {
        let by = Actor::named(actor, source.map(|source| source.to_string()));
        let what = ("console.signed_in", actor.clone(), json!({}));
        self.record(vec![AuditRecord::new(by, now, tenant.clone(), what)], now).await
    }

    pub async fn console_session_of(
        &self,
        tenant: &TenantId,
        cookie: &str,
        now: Timestamp,
    ) -> Stored<Option<ConsoleSession>> {
        let found = self.opened(tenant, cookie, now).await?;
        let Some(session) = found.filter(|session| session.is_valid(now)) else { return Ok(None) };
        if session.last_seen_at + ConsoleSession::NOTED <= now {
            self.store.touch_console_session(tenant, &session.id, now).await?;
        }
        Ok(Some(session))
    }

    pub async fn end_console_session(&self, session: &ConsoleSession) -> Stored<()> {
        self.store.end_console_session(&session.tenant, &session.id).await
    }

    /// The token that every form of the session's pages contains. No other site can send a form with this
    /// token.
    #[must_use]
    pub fn console_form_token(&self, session: &ConsoleSession) -> [u8; 32] {
        self.console.of([b"form".as_slice(), &session.token_digest])
    }

    fn console_session(
        &self,
        tenant: &TenantId,
        actor: String,
        holder: ConsoleHolder,
        now: Timestamp,
    ) -> (ConsoleSession, SessionToken) {
        let token = SessionToken::generate(0, SessionId::generate());
        let session = ConsoleSession {
            tenant: tenant.clone(),
            id: token.id().clone(),
            token_digest: token.digest(&self.console, tenant),
            is_link: false,
            holder,
            actor,
            proven_at: now,
            last_seen_at: now,
            expires_at: now + ConsoleSession::LONGEST,
        };
        (session, token)
    }

    /// Finds the link or session that has this secret.
    async fn opened(&self, tenant: &TenantId, text: &str, now: Timestamp) -> Stored<Option<ConsoleSession>> {
        let Some(token) = SessionToken::parse(text) else { return Ok(None) };
        let found = self.store.find_console_session(tenant, token.id(), now).await?;
        let is_own = |found: &ConsoleSession| {
            found.tenant == *tenant && token.has(&found.token_digest, &self.console, tenant)
        };
        Ok(found.filter(is_own))
    }
}
