//! What a commit writes, as JSON objects whose members have the columns' names: a store of SQL binds each list as one JSON array and
//! holds nothing but statements. Numbers are seconds, blobs are hexadecimal digits. Each statement must touch as many rows as it is
//! given, or the commit is stale; those that delete what may exist are named so.

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
use serde_json::Value;

use crate::CommitRequest;

pub use applications::ApplicationRows;
pub use bookkeeping::log_row;
pub use clients::ClientRows;
pub use complete::{Incomplete, check_complete};
pub use decided::{Decided, DecidedTenant};
pub use keys::{KeyRows, due_row, key_row, taken_row};
pub use sealed::SealedAfter;
pub use search::{COUNTED_TERMS, Prefix, TenantSearch};
pub use secret_usage::{latest_usage, secret_usage_rows};
pub use secrets::SecretRows;
pub use tenants::{TenantRows, search_term_rows_of};
pub use verifier_fetches::{merged_fetches, places_kept_since, verifier_fetch_rows};

/// All that a commit writes but the generation, in the order in which it is written.
#[derive(Debug)]
pub struct CommitRows {
    /// The revisions that the commit counts up, beside those of the tenants' own rows.
    pub revisions: Vec<Value>,
    /// Tenants.
    pub tenants: TenantRows,
    /// Resource servers.
    pub resource_servers: Vec<Value>,
    /// Clients.
    pub clients: ClientRows,
    /// Secrets.
    pub secrets: SecretRows,
    /// Applications.
    pub applications: ApplicationRows,
    /// Signing keys.
    pub keys: KeyRows,
    /// Fingerprints of declarations.
    pub fingerprints: Vec<Value>,
    /// Until when tokens of longer lifetimes exist.
    pub previous_tokens: Vec<Value>,
    /// Earlier key sets; nothing is written for a tenant that is deleted.
    pub previous_jwks: Vec<Value>,
    /// The audit.
    pub audit: Vec<Value>,
    /// The log of changes.
    pub change_log: Vec<Value>,
    /// The answer to an idempotency key: one or none.
    pub idempotent_answers: Vec<Value>,
}

impl CommitRows {
    /// Of a request and the rows that it decided.
    #[must_use]
    pub fn of(request: &CommitRequest, decided: &Decided) -> Self {
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
