//! The store that back-channel logout needs. Issuing a code notes its client for the session. The end of a
//! session queues a notice for each noted client.

use accounts::AccountId;
use async_trait::async_trait;
use registry::ClientId;
use sessions::SessionId;
use tenancy::{Stored, TenantId};
use values::{Lifetime, Timestamp};

/// A notice that waits to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueuedLogout {
    pub tenant: TenantId,
    /// The partition of its row.
    pub slot: u32,
    /// The session that has ended.
    pub session: SessionId,
    /// The client that is told.
    pub client: ClientId,
    /// The person of the session.
    pub account: AccountId,
    /// How often it was sent.
    pub attempts: u32,
}

/// The client of a tenant: where notices are sent to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LogoutAddress {
    pub tenant: TenantId,
    /// The client that is told.
    pub client: ClientId,
}

/// The tenants whose notices come first.
#[derive(Clone, Debug, Default)]
pub struct LogoutTurn {
    /// No notice for these clients.
    pub except: Vec<LogoutAddress>,
    /// The tenants after this one come first, in the order of their names.
    pub after: Option<TenantId>,
}

impl QueuedLogout {
    /// How often a notice is sent at most.
    pub const MOST_ATTEMPTS: u32 = 3;
    /// The notices that are sent to one client at the same time.
    pub const MOST_AT_ONCE: u32 = 8;
    /// The notices that wait for one client. While so many wait, the end of a session queues no further one
    /// for it.
    pub const MOST_OF_CLIENT: u32 = 5_000;

    /// The destination of the notice.
    #[must_use]
    pub fn address(&self) -> LogoutAddress {
        LogoutAddress { tenant: self.tenant.clone(), client: self.client.clone() }
    }

    /// How long to wait after the next attempt. Three attempts are made within five minutes.
    #[must_use]
    pub const fn wait(&self) -> Lifetime {
        Lifetime::from_seconds(if self.attempts == 0 { 30 } else { 240 })
    }

    /// Whether the next attempt is the last one.
    #[must_use]
    pub const fn is_last(&self) -> bool {
        self.attempts + 1 >= Self::MOST_ATTEMPTS
    }
}

/// Keeps the notices of sessions that have ended.
#[async_trait]
pub trait LogoutOutbox: Send + Sync {
    /// The notices that are due now, at most this many: one client of each tenant comes before a second
    /// client of any tenant. A client has at most [`QueuedLogout::MOST_AT_ONCE`].
    async fn due_logouts(&self, now: Timestamp, most: u32, turn: &LogoutTurn) -> Stored<Vec<QueuedLogout>>;

    /// Removes the notices for a client that can be sent no more.
    async fn delete_ended_logouts(&self, address: &LogoutAddress, now: Timestamp) -> Stored<()>;

    /// Takes an attempt for this replica. The attempt is counted, and the next one is not before this
    /// instant. One of several concurrent replicas gets it.
    async fn claim_logout(&self, queued: &QueuedLogout, next: Timestamp) -> Stored<bool>;

    /// Gives back an attempt that was taken and not made. It does not count, and the next one is not before
    /// this instant.
    async fn return_logout(&self, queued: &QueuedLogout, next: Timestamp) -> Stored<()>;

    /// Removes a notice that was delivered or is given up.
    async fn delete_logout(&self, queued: &QueuedLogout) -> Stored<()>;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_fixtures::{ADA, acme};

    // [back-channel §2.8]
    #[test]
    fn three_attempts_are_made_within_five_minutes() {
        let mut queued = QueuedLogout {
            tenant: acme().id,
            slot: 1,
            session: "AAAAAAAAAAAAAAAAAAAAAA".parse().unwrap(),
            client: "web".parse().unwrap(),
            account: ADA.parse().unwrap(),
            attempts: 0,
        };
        let mut waits = Vec::new();
        while !queued.is_last() {
            waits.push(queued.wait().seconds());
            queued.attempts += 1;
        }
        assert_eq!(waits, [30, 240]);
    }
}
