//! Stores records that can be used once.

use async_trait::async_trait;
use tenancy::{Stored, TenantId};
use values::Timestamp;

use super::{OneTime, OneTimeContent, OneTimeKey, OneTimeUse};

#[async_trait]
pub trait OneTimeStore<T: OneTimeContent>: Send + Sync {
    /// Adds a record, unless a limit is reached. Returns whether the record was added. Concurrent
    /// calls may exceed the limit slightly.
    async fn add(
        &self,
        tenant: &TenantId,
        record: &OneTime<T>,
        limit: T::Limit,
        now: Timestamp,
    ) -> Stored<bool>;

    /// Returns a record in any state.
    async fn find(&self, tenant: &TenantId, key: &OneTimeKey) -> Stored<Option<OneTime<T>>>;

    /// Writes the note, if the record is valid, unused and has no note yet. Returns whether the
    /// note was written.
    async fn note(&self, tenant: &TenantId, key: &OneTimeKey, note: &T::Note, now: Timestamp)
    -> Stored<bool>;

    /// Uses up a record and creates its family, if the use [matches](OneTimeUse::is_of), the record
    /// is valid and the person may still sign in. Of several concurrent uses, one succeeds across
    /// all replicas. Returns the used record.
    async fn use_up(
        &self,
        tenant: &TenantId,
        used: &OneTimeUse<T>,
        now: Timestamp,
    ) -> Stored<Option<OneTime<T>>>;
}
