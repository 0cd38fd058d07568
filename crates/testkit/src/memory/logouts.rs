//! The notices of sessions that have ended.

use async_trait::async_trait;
use grants::{LogoutAddress, LogoutOutbox, LogoutTurn, QueuedLogout};
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

/// The value of this key, which is empty where the list has none.
fn entry<'list, K: Clone + PartialEq, V>(list: &'list mut Vec<(K, Vec<V>)>, key: &K) -> &'list mut Vec<V> {
    let found = list.iter().position(|(held, _)| held == key).unwrap_or_else(|| {
        list.push((key.clone(), Vec::new()));
        list.len() - 1
    });
    &mut list[found].1
}

fn key(queued: &QueuedLogout) -> LogoutKey {
    (queued.tenant.clone(), queued.session.clone(), queued.client.clone())
}

#[async_trait]
impl LogoutOutbox for MemoryStore {
    async fn due_logouts(
        &self,
        now: Timestamp,
        most: u32,
        turn: &LogoutTurn,
    ) -> Result<Vec<QueuedLogout>, StoreError> {
        self.administer(|rows| {
            let is_due = |(queued, next): &&(QueuedLogout, Timestamp)| {
                *next <= now
                    && queued.attempts < QueuedLogout::MOST_ATTEMPTS
                    && !turn.except.contains(&queued.address())
            };
            let mut due: Vec<_> = rows.logouts.values().filter(is_due).collect();
            due.sort_by_key(|(_, next)| *next);
            // By tenant and then by client, each in the order in which its notices are due.
            let mut tenants: Vec<(TenantId, Vec<(ClientId, Vec<QueuedLogout>)>)> = Vec::new();
            for (queued, _) in due {
                let clients = entry(&mut tenants, &queued.tenant);
                let of_client = entry(clients, &queued.client);
                if of_client.len() < QueuedLogout::MOST_AT_ONCE as usize {
                    of_client.push(queued.clone());
                }
            }
            tenants.sort_by_key(|(tenant, _)| (turn.after.as_ref() >= Some(tenant), tenant.clone()));
            let mut in_turn = Vec::new();
            let most_clients = tenants.iter().map(|(_, clients)| clients.len()).max().unwrap_or(0);
            for place in 0..most_clients {
                let of_place = tenants.iter_mut().filter_map(|(_, clients)| clients.get_mut(place));
                in_turn.extend(of_place.flat_map(|(_, queued)| std::mem::take(queued)));
            }
            in_turn.truncate(most as usize);
            in_turn
        })
        .await
    }

    async fn delete_ended_logouts(&self, address: &LogoutAddress, now: Timestamp) -> Result<(), StoreError> {
        self.administer(|rows| {
            rows.logouts.retain(|_, (queued, next)| {
                let is_sent_no_more = *next <= now && queued.attempts >= QueuedLogout::MOST_ATTEMPTS;
                queued.address() != *address || !is_sent_no_more
            });
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

    async fn return_logout(&self, queued: &QueuedLogout, next: Timestamp) -> Result<(), StoreError> {
        self.administer(|rows| {
            let row = rows.logouts.get_mut(&key(queued));
            if let Some((row, at)) = row.filter(|(row, _)| row.attempts == queued.attempts + 1) {
                row.attempts = queued.attempts;
                *at = next;
            }
        })
        .await
    }

    async fn delete_logout(&self, queued: &QueuedLogout) -> Result<(), StoreError> {
        self.administer(|rows| drop(rows.logouts.remove(&key(queued)))).await
    }
}
