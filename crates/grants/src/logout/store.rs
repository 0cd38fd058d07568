//! The store of back-channel logout. When the server issues a code, the store notes the client of
//! the session. When the session ends, the store queues a notice for each noted client.

use accounts::AccountId;
use async_trait::async_trait;
use registry::ClientId;
use sessions::SessionId;
use tenancy::{Stored, TenantId};
use values::{Lifetime, Timestamp};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueuedLogout {
    pub tenant: TenantId,
    /// The partition of the row.
    pub slot: u32,
    /// The session that ended.
    pub session: SessionId,
    /// The client to notify.
    pub client: ClientId,
    pub account: AccountId,
    /// Includes attempts that failed.
    pub attempts: u32,
}

/// A client that receives notices.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LogoutAddress {
    pub tenant: TenantId,
    pub client: ClientId,
}

/// Which notices to fetch next.
#[derive(Clone, Debug, Default)]
pub struct LogoutTurn {
    /// Leave out the notices of these clients.
    pub except: Vec<LogoutAddress>,
    /// Start with the tenants after this one, in the order of their names.
    pub after: Option<TenantId>,
}

impl QueuedLogout {
    pub const MOST_ATTEMPTS: u32 = 3;
    /// The maximum number of notices that are sent to one client at the same time.
    pub const MOST_AT_ONCE: u32 = 8;
    /// The maximum number of waiting notices for one client. Beyond it, the end of a session queues
    /// no notice for the client.
    pub const MOST_OF_CLIENT: u32 = 5_000;

    #[must_use]
    pub fn address(&self) -> LogoutAddress {
        LogoutAddress { tenant: self.tenant.clone(), client: self.client.clone() }
    }

    /// The wait after the next attempt. All three attempts take place within five minutes.
    #[must_use]
    pub const fn wait(&self) -> Lifetime {
        Lifetime::from_seconds(if self.attempts == 0 { 30 } else { 240 })
    }

    #[must_use]
    pub const fn is_last(&self) -> bool {
        self.attempts + 1 >= Self::MOST_ATTEMPTS
    }
}

#[async_trait]
pub trait LogoutOutbox: Send + Sync {
    /// Returns at most `most` due notices: one client of each tenant before a second client of any
    /// tenant, and at most [`QueuedLogout::MOST_AT_ONCE`] notices of a client.
    async fn due_logouts(&self, now: Timestamp, most: u32, turn: &LogoutTurn) -> Stored<Vec<QueuedLogout>>;

    /// Deletes the notices of a client after their last attempt.
    async fn delete_ended_logouts(&self, address: &LogoutAddress, now: Timestamp) -> Stored<()>;

    /// Claims an attempt for this replica and counts it. The next attempt is due at `next`. Returns
    /// true for only one of several concurrent replicas.
    async fn claim_logout(&self, queued: &QueuedLogout, next: Timestamp) -> Stored<bool>;

    /// Returns a claimed attempt that was not made. It no longer counts, and the next attempt is
    /// due at `next`.
    async fn return_logout(&self, queued: &QueuedLogout, next: Timestamp) -> Stored<()>;

    /// Deletes a notice that was delivered or has no attempts left.
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
