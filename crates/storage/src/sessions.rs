//! The statements of people's sessions.

use accounts::AccountId;
use async_trait::async_trait;
use registry::RevokedSubject;
use sessions::{FoundSession, SessionId, SessionStore, SessionWrite};
use tenancy::{Stored, TenantId};
use values::Timestamp;

use crate::database::Database;
use crate::error::{Error, repeated};
use crate::statement::Statement;
use crate::transaction::{Transaction, TransactionPurpose};
use crate::{expiring, rings};

/// Also reads the time from which the account's sessions are valid. NULL if the account may not sign in.
const SELECT: &str = "
    SELECT {columns(s)} FROM sessions s LEFT JOIN accounts a
        ON a.tenant_id = s.tenant_id AND a.account_id = s.account_id AND a.suspended_at IS NULL AND a.retired_at IS NULL AND a.deleted_at IS NULL
     WHERE s.tenant_id = {tenant} AND s.slot = $2 AND s.session_id = $3";

/// Does not change a session that has ended.
const UPSERT: &str = "
    INSERT INTO sessions ({names}) SELECT {names} FROM {given} WHERE TRUE
    ON CONFLICT (tenant_id, slot, session_id) DO UPDATE SET {updates} WHERE sessions.ended_at IS NULL";

const END: &str = "
    UPDATE sessions SET ended_at = $4
     WHERE tenant_id = $1 AND slot = $2 AND session_id = $3 AND ended_at IS NULL";

/// Returns the account and whether the session ever issued a code. Without a code the session has no tokens.
const END_WITH_TOKENS: &str = "
    UPDATE sessions SET ended_at = $4
     WHERE tenant_id = $1 AND slot = $2 AND session_id = $3 AND ended_at IS NULL
    RETURNING account_id, EXISTS (SELECT 1 FROM session_clients c WHERE c.tenant_id = $1 AND c.session_id = $3)";

const TOUCH: &str = "
    UPDATE sessions SET last_seen_at = {greatest}(last_seen_at, $4)
     WHERE tenant_id = $1 AND slot = $2 AND session_id = $3";

/// A session that was just ended and whose tokens must be revoked.
pub(crate) struct EndedSession {
    id: SessionId,
    account: AccountId,
}

pub(crate) enum NotWritten {
    /// The session that should be continued has ended.
    HasEnded,
    /// A dependent statement touched no row.
    NotFollowed,
}

#[async_trait]
impl SessionStore for Database {
    async fn find_session(
        &self,
        tenant: &TenantId,
        slot: u32,
        id: &SessionId,
    ) -> Stored<Option<FoundSession>> {
        let statement = Statement::from_text(SELECT).bind(tenant).bind(slot).bind(id.as_str());
        let found: Vec<FoundSession> = self.look_up(statement).await?;
        Ok(found.into_iter().next())
    }

    async fn write_session(&self, tenant: &TenantId, write: &SessionWrite) -> Stored<bool> {
        Ok(repeated!(async {
            let mut transaction = self.begin(TransactionPurpose::WritesOf(tenant)).await?;
            let Ok(ended) = transaction.session(tenant, write, Vec::new()).await? else { return Ok(false) };
            if let Some(ended) = ended {
                transaction.revoke_session(tenant, &ended, write.session().last_seen_at).await?;
            }
            transaction.commit().await?;
            Ok::<_, Error>(true)
        })?)
    }

    async fn touch_session(
        &self,
        tenant: &TenantId,
        slot: u32,
        id: &SessionId,
        now: Timestamp,
    ) -> Stored<()> {
        Ok(self.write_of(tenant, &of_session(TOUCH, tenant, slot, id, now)).await.map(drop)?)
    }

    async fn end_session(&self, tenant: &TenantId, slot: u32, id: &SessionId, now: Timestamp) -> Stored<()> {
        Ok(repeated!(async {
            let mut transaction = self.begin(TransactionPurpose::WritesOf(tenant)).await?;
            if let Some(ended) = transaction.end_session(tenant, slot, id, now).await? {
                transaction.revoke_session(tenant, &ended, now).await?;
            }
            transaction.commit().await
        })?)
    }

    async fn delete_expired_sign_ins(&self, now: Timestamp) -> Stored<u64> {
        Ok(rings::empty(self, expiring::tables(), now).await?)
    }
}

impl Transaction<'_> {
    /// Writes a session and its dependent rows, and ends the session that it replaces. Each dependent
    /// statement must touch a row. Returns the ended session, whose tokens the caller must revoke at the end
    /// of the transaction.
    pub(crate) async fn session(
        &mut self,
        tenant: &TenantId,
        write: &SessionWrite,
        followed_by: Vec<Statement>,
    ) -> Result<Result<Option<EndedSession>, NotWritten>, Error> {
        let (session, now) = (write.session(), write.session().last_seen_at);
        let moved = write.ended().filter(|(_, id)| *id == session.id);
        if let Some((slot, id)) = moved
            && self.execute(&of_session(END, tenant, *slot, id, now)).await? == 0
        {
            return Ok(Err(NotWritten::HasEnded));
        }
        let mut statements = vec![Statement::of_rows(UPSERT, &[session], now)];
        statements.extend(followed_by);
        let touched = self.execute_all(&statements).await?;
        if let Some(nth) = touched.iter().position(|rows| *rows == 0) {
            return Ok(Err(if nth == 0 { NotWritten::HasEnded } else { NotWritten::NotFollowed }));
        }
        match (moved, write.ended()) {
            // The session continues in another partition and keeps its tokens.
            (Some((slot, id)), _) => {
                self.move_families(tenant, id, *slot, session.slot).await?;
                Ok(Ok(None))
            }
            (None, Some((slot, id))) => Ok(Ok(self.end_session(tenant, *slot, id, now).await?)),
            (None, None) => Ok(Ok(None)),
        }
    }

    /// Ends a session and queues logout notices for its clients. Returns the session if it had not ended
    /// before and may have tokens.
    async fn end_session(
        &mut self,
        tenant: &TenantId,
        slot: u32,
        id: &SessionId,
        now: Timestamp,
    ) -> Result<Option<EndedSession>, Error> {
        self.queue_logouts(tenant, slot, id, now).await?;
        let ended =
            self.first::<(AccountId, bool)>(of_session(END_WITH_TOKENS, tenant, slot, id, now)).await?;
        let with_tokens = ended.filter(|(_, has_clients)| *has_clients);
        Ok(with_tokens.map(|(account, _)| EndedSession { id: id.clone(), account }))
    }

    /// Revokes the tokens of a session, like [`Transaction::revoke_people`].
    pub(crate) async fn revoke_session(
        &mut self,
        tenant: &TenantId,
        EndedSession { id, account }: &EndedSession,
        now: Timestamp,
    ) -> Result<(), Error> {
        let subject = RevokedSubject::Session(id.as_str().to_owned());
        self.revoke_people(tenant, &subject, Some(account.as_str()), now).await
    }
}

fn of_session(text: &'static str, tenant: &TenantId, slot: u32, id: &SessionId, now: Timestamp) -> Statement {
    Statement::from_text(text).bind(tenant).bind(slot).bind(id.as_str()).bind(now)
}
