//! What may be listed, and a page at a time: a list goes on after the last row that was seen, so that every page costs the same.

use protocol::Timestamp;
use registry::ClientId;
use tenancy::TenantId;

use crate::AuditRecord;

/// Tenants in the order of their ids; with a search, in the order of the words that were found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TenantQuery {
    /// Each of these words begins a word of the tenant's id or name. In lower case, as [`search_terms`] makes them.
    pub terms: Vec<String>,
    /// Only rows that come after this one.
    pub after: Option<TenantCursor>,
    /// At most so many.
    pub limit: u32,
}

/// Where a page of tenants ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TenantCursor {
    /// The word that was found; empty where none was searched for.
    pub word: String,
    /// The tenant.
    pub tenant: TenantId,
}

/// Clients of one tenant in the order of their ids.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientQuery {
    /// Part of the id or the name, upper or lower case.
    pub search: Option<String>,
    /// Only clients that come after this one.
    pub after: Option<ClientId>,
    /// At most so many.
    pub limit: u32,
}

/// Which of a tenant's clients must be known before one is edited. So an edit costs the same however many others there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RelatedClients<'a> {
    /// Those that have one of these ids, deleted ones too.
    pub ids: &'a [&'a str],
    /// For each of these names, one other client that lists it as audience or resource and is not deleted: one is enough to know that
    /// no client can have the name as its id.
    pub listed: &'a [&'a str],
}

/// Audit records, the newest first: of a tenant by their positions, of all tenants by time, tenant and
/// position.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditQuery {
    /// Only of this tenant.
    pub tenant: Option<TenantId>,
    /// Only by this actor.
    pub actor: Option<String>,
    /// Only this action, as `client.changed`, or all that begin so, as `client.`.
    pub action: Option<String>,
    /// Only about this row, or about rows below it: `svc` is also `svc/s1`.
    pub subject: Option<String>,
    /// From then on.
    pub since: Option<Timestamp>,
    /// Before then.
    pub until: Option<Timestamp>,
    /// Only records that come after this one.
    pub before: Option<AuditCursor>,
    /// At most so many.
    pub limit: u32,
}

/// Where a page of the audit ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditCursor {
    /// The time of the record.
    pub at: Timestamp,
    /// Its tenant.
    pub tenant: TenantId,
    /// Its position in the audit of the tenant.
    pub position: i64,
}

impl AuditCursor {
    /// Of a record with this position.
    #[must_use]
    pub fn of(position: i64, record: &AuditRecord) -> Self {
        Self { at: record.at.into(), tenant: record.tenant.clone(), position }
    }
}

/// The words of a text, in lower case and each once: what a search is made of, and what a tenant is found by.
#[must_use]
pub fn search_terms(text: &str) -> Vec<String> {
    let lower = text.to_lowercase();
    let mut terms: Vec<String> = lower
        .split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect();
    terms.sort_unstable();
    terms.dedup();
    terms
}
