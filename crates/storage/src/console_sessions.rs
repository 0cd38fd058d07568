//! The statements of console sessions.

use administration::administrator::console_session::ConsoleSession;
use administration::store::ConsoleSessions;
use async_trait::async_trait;
use sessions::SessionId;
use tenancy::{Stored, TenantId};
use values::Timestamp;

use crate::columns::columns;
use crate::database::Database;
use crate::error::repeated;
use crate::statement::Statement;
use crate::transaction::TransactionPurpose;

const SELECT: &str = "
    SELECT {columns(s)} FROM console_sessions s
     WHERE s.tenant_id = {tenant} AND s.session_id = $2 AND s.expires_at > $3";

const FORGET: &str = "DELETE FROM console_sessions WHERE tenant_id = $1 AND expires_at <= $2";

/// Deletes all sessions of a person except the `$3` most recently used.
const CUT: &str = "
    DELETE FROM console_sessions
     WHERE (tenant_id, session_id) IN
           (SELECT tenant_id, session_id FROM console_sessions WHERE tenant_id = $1 AND actor = $2
             ORDER BY last_seen_at DESC, session_id LIMIT 1000 OFFSET $3)";

const INSERT: &str = "INSERT INTO console_sessions ({names}) SELECT {names} FROM {given}";

/// Exchanges a sign-in link for a session. A link works once.
const BEGIN: &str = "
    UPDATE console_sessions
       SET is_link = FALSE, token_digest = $3, last_seen_at = $4, expires_at = $5
     WHERE tenant_id = $1 AND session_id = $2 AND is_link AND expires_at > $4";

const TOUCH: &str = "
    UPDATE console_sessions SET last_seen_at = {greatest}(last_seen_at, $3)
     WHERE tenant_id = $1 AND session_id = $2";

const END: &str = "DELETE FROM console_sessions WHERE tenant_id = $1 AND session_id = $2";

columns! {
    ConsoleSession {
        tenant: "tenant_id",
        id: "session_id",
        token_digest, is_link, holder, actor, proven_at, last_seen_at, expires_at,
    }
}

#[async_trait]
impl ConsoleSessions for Database {
    async fn add_console_session(
        &self,
        tenant: &TenantId,
        session: &ConsoleSession,
        now: Timestamp,
    ) -> Stored<()> {
        let kept = ConsoleSession::MOST - 1;
        let statements = [
            Statement::from_text(FORGET).bind(tenant).bind(now),
            Statement::from_text(CUT).bind(tenant).bind(&*session.actor).bind(kept),
            Statement::of_rows(INSERT, &[session], now),
        ];
        Ok(repeated!(async {
            let mut transaction = self.begin(TransactionPurpose::WritesOf(tenant)).await?;
            for statement in &statements {
                transaction.execute(statement).await?;
            }
            transaction.commit().await
        })?)
    }

    async fn find_console_session(
        &self,
        tenant: &TenantId,
        id: &SessionId,
        now: Timestamp,
    ) -> Stored<Option<ConsoleSession>> {
        let statement = Statement::from_text(SELECT).bind(tenant).bind(id.as_str()).bind(now);
        let found: Vec<ConsoleSession> = self.look_up(statement).await?;
        Ok(found.into_iter().next())
    }

    async fn begin_console_session(&self, tenant: &TenantId, session: &ConsoleSession) -> Stored<bool> {
        let ConsoleSession { token_digest, last_seen_at, expires_at, .. } = session;
        let statement = of_session(BEGIN, tenant, &session.id).bind(token_digest.as_slice());
        Ok(self.write_of(tenant, &statement.bind(*last_seen_at).bind(*expires_at)).await? == 1)
    }

    async fn touch_console_session(&self, tenant: &TenantId, id: &SessionId, now: Timestamp) -> Stored<()> {
        Ok(self.write_of(tenant, &of_session(TOUCH, tenant, id).bind(now)).await.map(drop)?)
    }

    async fn end_console_session(&self, tenant: &TenantId, id: &SessionId) -> Stored<()> {
        Ok(self.write_of(tenant, &of_session(END, tenant, id)).await.map(drop)?)
    }
}

fn of_session(text: &'static str, tenant: &TenantId, id: &SessionId) -> Statement {
    Statement::from_text(text).bind(tenant).bind(id.as_str())
}
