//! Which clients a session has given a code, and the notices that wait to be sent to them since it has ended.

use async_trait::async_trait;
use grants::{AuthorizationCode, LogoutOutbox, QueuedLogout};
use protocol::{Lifetime, Timestamp};
use serde_json::{Value, json};
use sessions::{Ring, Session, SessionId};
use tenancy::{SessionPolicy, StoreError, TenantId};

use crate::commit::CommitWriter;
use crate::database::Database;
use crate::error::Error;
use crate::statement::Statement;
use crate::transaction::Transaction;

/// Where rows of both tables lie.
pub(crate) const RING: Ring = Session::RING;
/// How long it is known which clients a session has given a code: as long as a session lasts at most.
pub(crate) const KNOWN: Lifetime = SessionPolicy::LONGEST;
/// How long a notice is kept that could not be sent, such as when no replica runs.
pub(crate) const KEPT: Lifetime = Lifetime::from_seconds(86_400);

/// Counts the code as well, unless the session has given its clients `$10` since `$8`, or this client `$9`: then it touches no row.
const NOTE: &str = "
    INSERT INTO session_clients (tenant_id, slot, session_id, client_id, account_id, expires_at, codes, codes_since)
    SELECT $1, $2, $3, $4, $5, $6, 1, $7
     WHERE (SELECT COALESCE(SUM(c.codes), 0) FROM session_clients c
             WHERE c.tenant_id = $1 AND c.slot = $2 AND c.session_id = $3 AND c.codes_since > $8) < $10
    ON CONFLICT (tenant_id, slot, session_id, client_id) DO UPDATE
       SET codes = CASE WHEN session_clients.codes_since > $8 THEN session_clients.codes + 1 ELSE 1 END,
           codes_since = CASE WHEN session_clients.codes_since > $8 THEN session_clients.codes_since ELSE excluded.codes_since END
     WHERE session_clients.codes_since <= $8 OR session_clients.codes < $9";

/// For a session that has not ended before.
const QUEUE: &str = "
    INSERT INTO logout_outbox (tenant_id, slot, session_id, client_id, account_id, attempts, next_attempt_at, expires_at)
    SELECT DISTINCT c.tenant_id, $5, c.session_id, c.client_id, c.account_id, 0, $4, $6 FROM session_clients c
     WHERE c.tenant_id = $1 AND c.session_id = $3
       AND EXISTS (SELECT 1 FROM sessions s
                    WHERE s.tenant_id = $1 AND s.slot = $2 AND s.session_id = $3 AND s.ended_at IS NULL)
    ON CONFLICT (tenant_id, slot, session_id, client_id) DO NOTHING";

/// For the valid sessions of these accounts, or for one of them.
const QUEUE_ALL: &str = "
    INSERT INTO logout_outbox (tenant_id, slot, session_id, client_id, account_id, attempts, next_attempt_at, expires_at)
    SELECT DISTINCT c.tenant_id, given.slot, c.session_id, c.client_id, c.account_id, 0, $2, given.expires_at
      FROM {given(tenant_id text, account_id text, session_id text, slot bigint, expires_at bigint)}
      JOIN accounts a ON a.tenant_id = given.tenant_id AND a.account_id = given.account_id
      JOIN sessions s ON s.tenant_id = a.tenant_id AND s.account_id = a.account_id AND s.authenticated_at >= a.valid_from
       AND s.ended_at IS NULL AND s.expires_at > $2 AND (given.session_id IS NULL OR s.session_id = given.session_id)
      JOIN session_clients c ON c.tenant_id = s.tenant_id AND c.session_id = s.session_id
     WHERE TRUE
    ON CONFLICT (tenant_id, slot, session_id, client_id) DO NOTHING";

const DUE: &str = "
    SELECT {columns(o)} FROM logout_outbox o
     WHERE o.next_attempt_at <= $1 AND o.attempts < $2 AND o.expires_at > $1
     ORDER BY o.next_attempt_at LIMIT $3";

const CLAIM: &str = "
    UPDATE logout_outbox SET attempts = attempts + 1, next_attempt_at = $6
     WHERE tenant_id = $1 AND slot = $2 AND session_id = $3 AND client_id = $4 AND attempts = $5";

const DELETE: &str = "
    DELETE FROM logout_outbox WHERE tenant_id = $1 AND slot = $2 AND session_id = $3 AND client_id = $4";

#[async_trait]
impl LogoutOutbox for Database {
    async fn due_logouts(&self, now: Timestamp, most: u32) -> Result<Vec<QueuedLogout>, StoreError> {
        let due = Statement::of(DUE).bind(now).bind(QueuedLogout::MOST_ATTEMPTS).bind(most);
        Ok(self.read(due).await?)
    }

    async fn claim_logout(&self, queued: &QueuedLogout, next: Timestamp) -> Result<bool, StoreError> {
        let claim = of_notice(CLAIM, queued).bind(queued.attempts).bind(next);
        Ok(self.write(claim).await? == 1)
    }

    async fn delete_logout(&self, queued: &QueuedLogout) -> Result<(), StoreError> {
        self.write(of_notice(DELETE, queued)).await?;
        Ok(())
    }
}

/// Notes that the session of a code has given its client one. Touches no row where it has given too many ([`AuthorizationCode::SPAN`]).
pub(crate) fn note(code: &AuthorizationCode) -> Statement {
    let expires_at = code.created_at + KNOWN;
    Statement::of(NOTE)
        .bind(&code.tenant)
        .bind(RING.slot(expires_at))
        .bind(code.session.as_str())
        .bind(code.client.as_str())
        .bind(code.account.as_str())
        .bind(expires_at)
        .bind(code.created_at)
        .bind(code.created_at.saturating_sub(AuthorizationCode::SPAN))
        .bind(AuthorizationCode::MOST_OF_CLIENT)
        .bind(AuthorizationCode::MOST_OF_SESSION)
}

impl Transaction<'_> {
    /// Queues a notice for each client of a session that is about to end.
    pub(crate) async fn queue_logouts(
        &mut self,
        tenant: &TenantId,
        (of, id): (u32, &SessionId),
        now: Timestamp,
    ) -> Result<(), Error> {
        let expires_at = now + KEPT;
        let queue = Statement::of(QUEUE)
            .bind(tenant)
            .bind(of)
            .bind(id.as_str())
            .bind(now)
            .bind(RING.slot(expires_at))
            .bind(expires_at);
        self.execute(&queue).await.map(drop)
    }
}

impl CommitWriter<'_> {
    /// Queues a notice for each client of the sessions that a commit ends: `tenant_id`, `account_id`, and for one session `session_id`.
    pub(crate) async fn queue_logouts(&mut self, ended: &[Value]) -> Result<(), Error> {
        let expires_at = self.request.now + KEPT;
        let with_place = |ended: &Value| {
            let mut row = ended.clone();
            row["slot"] = json!(RING.slot(expires_at));
            row["expires_at"] = json!(expires_at.seconds());
            row
        };
        let rows: Vec<_> = ended.iter().map(with_place).collect();
        self.each(QUEUE_ALL, &rows).await.map(drop)
    }
}

fn of_notice(text: &'static str, queued: &QueuedLogout) -> Statement {
    let QueuedLogout { tenant, slot, session, client, .. } = queued;
    Statement::of(text).bind(tenant).bind(*slot).bind(session.as_str()).bind(client.as_str())
}
