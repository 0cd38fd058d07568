//! What a commit writes, as flat rows whose members have the columns' names: a store of SQL binds each list as one JSON array and
//! holds nothing but statements. Numbers are seconds, blobs are hexadecimal digits. Each statement must touch as many rows as it is
//! given, or the commit is superseded; those that remove what may be there are named so.

mod applications;
mod bookkeeping;
mod clients;
mod complete;
mod decided;
mod keys;
mod lifecycle;
mod resource_servers;
mod sealed;
mod search;
mod secret_usage;
mod secrets;
mod tenants;
mod verifier_fetches;

use protocol::{Lifetime, Timestamp};

use crate::CommitRequest;

pub use applications::{ApplicationRow, ApplicationRows};
pub use bookkeeping::{
    AuditRow, FingerprintRow, IdempotentAnswerRow, LogRow, PreviousTokensRow, RevisionRow,
};
pub use clients::{ClientKey, ClientRow, ClientRows, NameRow};
pub use complete::{Incomplete, check_complete};
pub use decided::{Decided, DecidedTenant};
pub use keys::{DueRow, KeyKey, KeyRow, KeyRows, KeyTimesRow, PreviousJwksRow, TakenRow, key_row};
pub use lifecycle::LifecycleRow;
pub use resource_servers::ResourceServerRow;
pub use sealed::SealedAfter;
pub use search::{COUNTED_TERMS, Prefix, TenantSearch};
pub use secret_usage::{SecretUsageRow, latest_usage, secret_usage_rows};
pub use secrets::{NewSecretRow, SecretRow, SecretRows};
pub use tenants::{
    IssuerRow, PreviousTypRow, SearchTermRow, TenantKey, TenantRow, TenantRows, search_term_rows_of,
};
pub use verifier_fetches::{VerifierFetchRow, merged_fetches, places_kept_since, verifier_fetch_rows};

/// All that a commit writes but the generation, in the order in which it is written.
#[derive(Debug)]
pub struct CommitRows<'a> {
    /// The revisions that the commit counts up, beside those of the tenants' own rows.
    pub revisions: Vec<RevisionRow<'a>>,
    /// Tenants.
    pub tenants: TenantRows<'a>,
    /// Resource servers.
    pub resource_servers: Vec<ResourceServerRow<'a>>,
    /// Clients.
    pub clients: ClientRows<'a>,
    /// Secrets.
    pub secrets: SecretRows<'a>,
    /// Applications.
    pub applications: ApplicationRows<'a>,
    /// Signing keys.
    pub keys: KeyRows<'a>,
    /// Fingerprints of declarations.
    pub fingerprints: Vec<FingerprintRow<'a>>,
    /// Until when tokens of longer lifetimes exist.
    pub previous_tokens: Vec<PreviousTokensRow<'a>>,
    /// Earlier key sets; nothing is written for a tenant that is deleted.
    pub previous_jwks: Vec<PreviousJwksRow<'a>>,
    /// The audit.
    pub audit: Vec<AuditRow<'a>>,
    /// The log of changes.
    pub change_log: Vec<LogRow>,
    /// The answer to an idempotency key: one or none.
    pub idempotent_answers: Vec<IdempotentAnswerRow<'a>>,
}

impl<'a> CommitRows<'a> {
    /// Of a request and the rows that it decided.
    #[must_use]
    pub fn of(request: &'a CommitRequest, decided: &'a Decided) -> Self {
        Self {
            revisions: bookkeeping::revision_rows(request, decided),
            tenants: TenantRows::of(request, decided),
            resource_servers: resource_servers::resource_server_rows(decided),
            clients: ClientRows::of(request, decided),
            secrets: SecretRows::of(decided),
            applications: ApplicationRows::of(request),
            keys: KeyRows::of(request),
            fingerprints: bookkeeping::fingerprint_rows(request),
            previous_tokens: bookkeeping::previous_tokens_rows(request),
            previous_jwks: keys::previous_jwks_rows(request),
            audit: request.audit.iter().map(bookkeeping::audit_row).collect(),
            change_log: bookkeeping::log_rows(request),
            idempotent_answers: request.idempotent.iter().map(bookkeeping::idempotent_answer_row).collect(),
        }
    }
}

/// What is beyond a store's integers is as good as never.
#[must_use]
pub fn seconds(timestamp: Timestamp) -> i64 {
    timestamp.seconds().try_into().unwrap_or(i64::MAX)
}

/// As [`seconds`].
#[must_use]
pub fn span(lifetime: Lifetime) -> i64 {
    lifetime.seconds().try_into().unwrap_or(i64::MAX)
}

/// Blobs travel in JSON as hexadecimal digits.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    crate::fingerprint::hex(bytes)
}
