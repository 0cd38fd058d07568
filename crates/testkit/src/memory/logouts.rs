//! The notices of sessions that have ended.

use async_trait::async_trait;
use grants::{LogoutOutbox, QueuedLogout};
use protocol::Timestamp;
use registry::ClientId;
use sessions::SessionId;
use tenancy::{StoreError, TenantId};

use super::MemoryStore;
use super::rows::Rows;

/// By session and client.
pub(super) type LogoutKey = (TenantId, SessionId, ClientId);

impl Rows {
    /// Queues a notice for each client that the session has given a code.
    pub(super) fn queue_logouts(&mut self, tenant: &TenantId, session: &SessionId, now: Timestamp) {
        let of_session = self.session_clients.iter().filter(|((of, id, _), _)| of == tenant && id == session);
        for (key, account) in of_session {
            let (tenant, session, client) = key.clone();
            let account = account.clone();
            let queued = QueuedLogout { tenant, slot: 0, session, client, account, attempts: 0 };
            self.logouts.entry(key.clone()).or_insert((queued, now));
        }
    }
}

fn key(queued: &QueuedLogout) -> LogoutKey {
    (queued.tenant.clone(), queued.session.clone(), queued.client.clone())
}

#[async_trait]
impl LogoutOutbox for MemoryStore {
    async fn due_logouts(&self, now: Timestamp, most: u32) -> Result<Vec<QueuedLogout>, StoreError> {
        self.administer(|rows| {
            let is_due = |(queued, next): &&(QueuedLogout, Timestamp)| {
                *next <= now && queued.attempts < QueuedLogout::MOST_ATTEMPTS
            };
            let due = rows.logouts.values().filter(is_due).take(most as usize);
            due.map(|(queued, _)| queued.clone()).collect()
        })
        .await
    }

    async fn claim_logout(&self, queued: &QueuedLogout, next: Timestamp) -> Result<bool, StoreError> {
        self.administer(|rows| {
            let row = rows.logouts.get_mut(&key(queued));
            let Some((row, at)) = row.filter(|(row, _)| row.attempts == queued.attempts) else {
                return false;
            };
            row.attempts += 1;
            *at = next;
            true
        })
        .await
    }

    async fn delete_logout(&self, queued: &QueuedLogout) -> Result<(), StoreError> {
        self.administer(|rows| drop(rows.logouts.remove(&key(queued)))).await
    }
}
