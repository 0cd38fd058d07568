//! The clients that received a code in a session, and the queue of logout notices to these clients.

use accounts::AccountId;
use async_trait::async_trait;
use grants::{AuthorizationCode, LogoutAddress, LogoutOutbox, LogoutTurn, OneTime, QueuedLogout};
use serde_json::{Value, json};
use sessions::{Ring, Session, SessionId};
use tenancy::{SessionPolicy, Stored, TenantId};
use values::{Lifetime, Timestamp};

use crate::database::Database;
use crate::error::Error;
use crate::statement::Statement;
use crate::transaction::Transaction;

pub(crate) const RING: Ring = Session::RING;
/// The clients of a session are stored for the longest possible duration of a session.
pub(crate) const KNOWN: Lifetime = SessionPolicy::LONGEST;
/// The primary key of both tables.
pub(crate) const KEY: &str = "tenant_id, slot, session_id, client_id";
/// The maximum age of an unsent notice, for example while no replica runs.
pub(crate) const KEPT: Lifetime = Lifetime::from_seconds(86_400);

/// Also counts the code. Touches no row if, since `$8`, the session has received `$10` codes or this client
/// `$9` codes.
const NOTE: &str = "
    INSERT INTO session_clients (tenant_id, slot, session_id, client_id, account_id, expires_at, codes, codes_since)
    SELECT $1, $2, $3, $4, $5, $6, 1, $7
     WHERE (SELECT COALESCE(SUM(c.codes), 0) FROM session_clients c
             WHERE c.tenant_id = $1 AND c.slot = $2 AND c.session_id = $3 AND c.codes_since > $8) < $10
    ON CONFLICT (tenant_id, slot, session_id, client_id) DO UPDATE
       SET codes = CASE WHEN session_clients.codes_since > $8 THEN session_clients.codes + 1 ELSE 1 END,
           codes_since = CASE WHEN session_clients.codes_since > $8 THEN session_clients.codes_since ELSE excluded.codes_since END
     WHERE session_clients.codes_since <= $8 OR session_clients.codes < $9";

/// Queues notices for a session that has not ended before. Limits the number of waiting notices of a client.
const QUEUE: &str = "
    INSERT INTO logout_outbox (tenant_id, slot, session_id, client_id, account_id, attempts, next_attempt_at, expires_at)
    SELECT DISTINCT c.tenant_id, $5, c.session_id, c.client_id, c.account_id, 0, $4, $6 FROM session_clients c
     WHERE c.tenant_id = $1 AND c.session_id = $3
       AND EXISTS (SELECT 1 FROM sessions s
                    WHERE s.tenant_id = $1 AND s.slot = $2 AND s.session_id = $3 AND s.ended_at IS NULL)
       AND (SELECT COUNT(*) FROM (SELECT 1 FROM logout_outbox w
                                   WHERE w.tenant_id = c.tenant_id AND w.client_id = c.client_id LIMIT 5000) AS waiting) < 5000
    ON CONFLICT (tenant_id, slot, session_id, client_id) DO NOTHING";

/// Queues notices for all valid sessions of the given accounts, or for one session. The number of waiting
/// notices is checked once for each client.
pub(crate) const QUEUE_ALL: &str = "
    WITH ended AS MATERIALIZED (
        SELECT DISTINCT c.tenant_id, given.slot, c.session_id, c.client_id, c.account_id, given.expires_at
          FROM {given(tenant_id text, account_id text, session_id text, slot bigint, expires_at bigint)}
          JOIN accounts a ON a.tenant_id = given.tenant_id AND a.account_id = given.account_id
          JOIN sessions s ON s.tenant_id = a.tenant_id AND s.account_id = a.account_id AND s.authenticated_at >= a.valid_from
           AND s.ended_at IS NULL AND s.expires_at > $2 AND (given.session_id IS NULL OR s.session_id = given.session_id)
          JOIN session_clients c ON c.tenant_id = s.tenant_id AND c.session_id = s.session_id),
    told AS MATERIALIZED (
        SELECT c.tenant_id, c.client_id FROM (SELECT DISTINCT tenant_id, client_id FROM ended) AS c
         WHERE (SELECT COUNT(*) FROM (SELECT 1 FROM logout_outbox w
                                       WHERE w.tenant_id = c.tenant_id AND w.client_id = c.client_id LIMIT 5000) AS waiting) < 5000)
    INSERT INTO logout_outbox (tenant_id, slot, session_id, client_id, account_id, attempts, next_attempt_at, expires_at)
    SELECT e.tenant_id, e.slot, e.session_id, e.client_id, e.account_id, 0, $2, e.expires_at
      FROM ended e JOIN told t ON t.tenant_id = e.tenant_id AND t.client_id = e.client_id
     WHERE TRUE
    ON CONFLICT (tenant_id, slot, session_id, client_id) DO NOTHING";

/// Selects clients with due notices, except those in `$1`. The tenants take turns, starting after tenant
/// `$5`; within a tenant the longest overdue client comes first. The index scan reads one row per client, so
/// the number of waiting notices does not matter.
const ADDRESSES: &str = "
    WITH RECURSIVE served (tenant_id) AS (
        SELECT (SELECT o.tenant_id FROM logout_outbox o ORDER BY o.tenant_id LIMIT 1)
        UNION ALL
        SELECT (SELECT o.tenant_id FROM logout_outbox o WHERE o.tenant_id > served.tenant_id ORDER BY o.tenant_id LIMIT 1)
          FROM served WHERE served.tenant_id IS NOT NULL),
    walk (tenant_id, client_id) AS (
        SELECT served.tenant_id,
               (SELECT o.client_id FROM logout_outbox o WHERE o.tenant_id = served.tenant_id
                 ORDER BY o.tenant_id, o.client_id LIMIT 1)
          FROM served WHERE served.tenant_id IS NOT NULL
        UNION ALL
        SELECT walk.tenant_id,
               (SELECT o.client_id FROM logout_outbox o
                 WHERE o.tenant_id = walk.tenant_id AND o.client_id > walk.client_id
                 ORDER BY o.tenant_id, o.client_id LIMIT 1)
          FROM walk WHERE walk.client_id IS NOT NULL),
    due AS (
        SELECT walk.tenant_id, walk.client_id,
               (SELECT o.next_attempt_at FROM logout_outbox o
                 WHERE o.tenant_id = walk.tenant_id AND o.client_id = walk.client_id
                   AND o.next_attempt_at <= $2 AND o.attempts < $3 AND o.expires_at > $2
                 ORDER BY o.next_attempt_at LIMIT 1) AS since
          FROM walk
         WHERE walk.client_id IS NOT NULL
           AND (walk.tenant_id, walk.client_id) NOT IN
               (SELECT given.tenant_id, given.client_id FROM {given(tenant_id text, client_id text)})),
    placed AS (
        SELECT due.*, ROW_NUMBER() OVER (PARTITION BY due.tenant_id ORDER BY due.since, due.client_id) AS place
          FROM due WHERE due.since IS NOT NULL)
    SELECT {columns(p)} FROM placed p
     ORDER BY p.place, CASE WHEN p.tenant_id > $5 THEN 0 ELSE 1 END, p.tenant_id LIMIT $4";

const DUE: &str = "
    SELECT {columns(o)} FROM logout_outbox o
     WHERE o.tenant_id = $1 AND o.client_id = $2 AND o.next_attempt_at <= $3 AND o.attempts < $4 AND o.expires_at > $3
     ORDER BY o.next_attempt_at LIMIT $5";

/// Deletes notices that will not be sent any more: they have expired or have used all attempts.
const DELETE_ENDED: &str = "
    DELETE FROM logout_outbox
     WHERE tenant_id = $1 AND client_id = $2 AND next_attempt_at <= $3 AND (attempts >= $4 OR expires_at <= $3)";

const CLAIM: &str = "
    UPDATE logout_outbox SET attempts = attempts + 1, next_attempt_at = $6
     WHERE tenant_id = $1 AND slot = $2 AND session_id = $3 AND client_id = $4 AND attempts = $5";

const RETURN: &str = "
    UPDATE logout_outbox SET attempts = $5, next_attempt_at = $6
     WHERE tenant_id = $1 AND slot = $2 AND session_id = $3 AND client_id = $4 AND attempts = $5 + 1";

const DELETE: &str = "
    DELETE FROM logout_outbox WHERE tenant_id = $1 AND slot = $2 AND session_id = $3 AND client_id = $4";

#[async_trait]
impl LogoutOutbox for Database {
    async fn due_logouts(&self, now: Timestamp, most: u32, turn: &LogoutTurn) -> Stored<Vec<QueuedLogout>> {
        let pair = |address: &LogoutAddress| json!({ "tenant_id": address.tenant.as_str(), "client_id": address.client.as_str() });
        let except = Value::from_iter(turn.except.iter().map(pair)).to_string();
        let after = turn.after.as_ref().map_or("", TenantId::as_str);
        let addresses = Statement::from_text(ADDRESSES).bind(except).bind(now);
        let addresses = addresses.bind(QueuedLogout::MOST_ATTEMPTS).bind(most).bind(after);
        let addresses: Vec<LogoutAddress> = self.read(addresses).await?;
        let share = most / u32::try_from(addresses.len()).unwrap_or(most).max(1);
        let share = share.clamp(1, QueuedLogout::MOST_AT_ONCE);
        let mut due = Vec::new();
        for LogoutAddress { tenant, client } in addresses {
            let of_client = Statement::from_text(DUE).bind(&tenant).bind(client.as_str()).bind(now);
            due.extend(self.read(of_client.bind(QueuedLogout::MOST_ATTEMPTS).bind(share)).await?);
        }
        Ok(due)
    }

    async fn delete_ended_logouts(&self, address: &LogoutAddress, now: Timestamp) -> Stored<()> {
        let ended = Statement::from_text(DELETE_ENDED).bind(&address.tenant).bind(address.client.as_str());
        self.write(ended.bind(now).bind(QueuedLogout::MOST_ATTEMPTS)).await?;
        Ok(())
    }

    async fn claim_logout(&self, queued: &QueuedLogout, next: Timestamp) -> Stored<bool> {
        let claim = of_notice(CLAIM, queued).bind(queued.attempts).bind(next);
        Ok(self.write(claim).await? == 1)
    }

    async fn return_logout(&self, queued: &QueuedLogout, next: Timestamp) -> Stored<()> {
        self.write(of_notice(RETURN, queued).bind(queued.attempts).bind(next)).await?;
        Ok(())
    }

    async fn delete_logout(&self, queued: &QueuedLogout) -> Stored<()> {
        self.write(of_notice(DELETE, queued)).await?;
        Ok(())
    }
}

/// Records that the code's client received a code in the code's session. Touches no row if the client or the
/// session received too many codes in the last [`AuthorizationCode::SPAN`].
pub(crate) fn note(code: &OneTime<AuthorizationCode>) -> Statement {
    let expires_at = code.created_at + KNOWN;
    Statement::from_text(NOTE)
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
        of: u32,
        id: &SessionId,
        now: Timestamp,
    ) -> Result<(), Error> {
        let expires_at = now + KEPT;
        let queue = Statement::from_text(QUEUE)
            .bind(tenant)
            .bind(of)
            .bind(id.as_str())
            .bind(now)
            .bind(RING.slot(expires_at))
            .bind(expires_at);
        self.execute(&queue).await.map(drop)
    }
}

/// The input of the statement that queues notices for the clients of an account's sessions. `None` means all
/// sessions of the account.
pub(crate) fn ended_row(
    ((tenant, account), session): &((TenantId, AccountId), Option<SessionId>),
    now: Timestamp,
) -> Value {
    let (session, expires_at) = (session.as_ref().map(SessionId::as_str), now + KEPT);
    json!({ "tenant_id": tenant.as_str(), "account_id": account.as_str(), "session_id": session,
            "slot": RING.slot(expires_at), "expires_at": expires_at.seconds() })
}

fn of_notice(text: &'static str, queued: &QueuedLogout) -> Statement {
    let QueuedLogout { tenant, slot, session, client, .. } = queued;
    Statement::from_text(text).bind(tenant).bind(*slot).bind(session.as_str()).bind(client.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SQL does not allow a column in LIMIT, so the statements contain the number as text.
    #[test]
    fn statements_contain_the_notice_limit() {
        let most = QueuedLogout::MOST_OF_CLIENT;
        for text in [QUEUE, QUEUE_ALL] {
            assert!(text.contains(&format!("LIMIT {most}) AS waiting) < {most}")), "{text}");
        }
    }
}
