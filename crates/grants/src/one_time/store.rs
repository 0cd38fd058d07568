//! The store of records that are used once.

use async_trait::async_trait;
use tenancy::{Stored, TenantId};
use values::Timestamp;

use super::{OneTime, OneTimeContent, OneTimeKey, OneTimeUse};

/// Keeps the records of a kind.
#[async_trait]
pub trait OneTimeStore<T: OneTimeContent>: Send + Sync {
    /// Adds a record, unless too many of its client wait. Returns whether it was added. Several concurrent
    /// additions may each be the last one.
    async fn add(
        &self,
        tenant: &TenantId,
        record: &OneTime<T>,
        limit: T::Limit,
        now: Timestamp,
    ) -> Stored<bool>;

    /// Finds a record in any state.
    async fn find(&self, tenant: &TenantId, key: &OneTimeKey) -> Stored<Option<OneTime<T>>>;

    /// Writes the note into an unused record that has none and whose time is not over. Returns whether it was
    /// written.
    async fn note(&self, tenant: &TenantId, key: &OneTimeKey, note: &T::Note, now: Timestamp)
    -> Stored<bool>;

    /// Uses up a record and begins its family, if the use is [of it](OneTimeUse::is_of), its time is not over
    /// and its person may still sign in. One of several concurrent uses succeeds, at all replicas together.
    /// Returns the record as it was used.
    async fn use_up(
        &self,
        tenant: &TenantId,
        used: &OneTimeUse<T>,
        now: Timestamp,
    ) -> Stored<Option<OneTime<T>>>;
}
