//! The store traits of administration. Each method is one transaction, and no transaction spans two methods.

mod audit_stream;
mod commit;
mod console_sessions;
mod generations;
mod key_schedule;
mod leaked_credentials;
mod listed;
pub mod query;
mod refusal_log;
mod sealed_items;
mod secret_rotations;
mod tenant_rows;
mod usage_days;
mod usage_log;

use async_trait::async_trait;
use tenancy::{Stored, TenantId};
use values::Timestamp;

use crate::audit::AuditRecord;
use crate::documents::application::{Application, ApplicationId};
use crate::kinds::{Accounts, ApiKeyRows, Invalidation};
use crate::mail::MailOutbox;
use crate::store::query::AuditQuery;

pub use audit_stream::AuditStream;
pub use commit::{Commit, CommitOutcome, DeletedRows, KeyCommit, NewPassword, Rows, TenantMetadata};
pub use console_sessions::ConsoleSessions;
pub use generations::{Generation, Generations, KEPT_SOURCES, NewGeneration};
pub use key_schedule::{KeySchedule, TenantKeys};
pub use leaked_credentials::LeakedCredentials;
pub use listed::{Listed, UnreadableRow, UnreadableRows, readable};
pub use refusal_log::{RefusalCursor, RefusalLog, RefusalQuery};
pub use sealed_items::{SealedItems, SealedPlace, TENANT_KEY, tenant_key_name};
pub use secret_rotations::SecretRotations;
pub use tenant_rows::{ENDED_SECRETS_STAY, EndedSecrets, KEPT_ENDED_SECRETS, TenantList, TenantRows};
pub use usage_days::{UsageDays, UsageOf, UseOfTenant};
pub use usage_log::{KEPT_ADDRESSES, KEPT_VERIFIERS, SecretUsage, UsageLog, VerifierFetch};

/// All store traits of administration, as one object.
pub trait AdministrationStore:
    TenantRows
    + TenantList
    + UnreadableRows
    + EndedSecrets
    + Applications
    + Accounts
    + ApiKeyRows
    + Generations
    + KeySchedule
    + SealedItems
    + SecretRotations
    + UsageLog
    + UsageDays
    + RefusalLog
    + LeakedCredentials
    + ConsoleSessions
    + MailOutbox
    + AuditLog
    + AuditStream
    + IdempotentAnswers
    + ChangeLog
{
}

/// Reads the applications of the Thunder-compatible API.
#[async_trait]
pub trait Applications: Send + Sync {
    async fn find_application(
        &self,
        tenant: &TenantId,
        application: &ApplicationId,
    ) -> Stored<Option<Application>>;

    async fn find_application_named(&self, tenant: &TenantId, name: &str) -> Stored<Option<ApplicationId>>;

    /// The number of a tenant's applications, and a page of them in the order of their creation.
    async fn list_applications(
        &self,
        tenant: &TenantId,
        offset: u32,
        limit: u32,
    ) -> Stored<(u64, Vec<Application>)>;
}

#[async_trait]
pub trait AuditLog: Send + Sync {
    /// A page of audit records, the newest first, each with its position.
    async fn list_audit(&self, query: &AuditQuery) -> Stored<Vec<(i64, AuditRecord)>>;
}

#[async_trait]
pub trait ChangeLog: Send + Sync {
    async fn position(&self) -> Stored<i64>;

    /// The changes after a position, in order, each with its own position.
    async fn changes_since(&self, position: i64) -> Stored<Vec<(i64, Invalidation)>>;
}

#[async_trait]
pub trait IdempotentAnswers: Send + Sync {
    /// The stored answer for this idempotency key, unless it has expired.
    async fn find_idempotent_answer(
        &self,
        tenant: &TenantId,
        key: &[u8; 32],
        now: Timestamp,
    ) -> Stored<Option<IdempotentAnswer>>;
}

/// The stored answer for an idempotency key (draft-ietf-httpapi-idempotency-key-header).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotentAnswer {
    /// The tenant of the request; `platform` if the tenant did not exist.
    pub tenant: TenantId,
    /// The digest of the key, the actor and the operation.
    pub key: [u8; 32],
    pub request: [u8; 32],
    /// The sealed answer, which may contain a secret.
    pub sealed: Vec<u8>,
    /// The answer is deleted at this time.
    pub expires_at: Timestamp,
}
