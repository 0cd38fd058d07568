//! Queries for lists, page by page. A page continues after the last row of the page before, so all pages cost
//! the same.

use registry::ClientId;
use tenancy::TenantId;
use values::Timestamp;

use crate::audit::AuditRecord;

/// Tenants in the order of their ids. A search returns them in the order of the found words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TenantQuery {
    /// Each of these words must be the prefix of a word in the tenant's id or name. The words are in lower
    /// case, as [`search_terms`] returns them.
    pub terms: Vec<String>,
    pub after: Option<TenantCursor>,
    /// The most rows of the page.
    pub limit: u32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TenantCursor {
    /// The word that was found; empty without a search.
    pub word: String,
    pub tenant: TenantId,
}

/// Clients of one tenant in the order of their ids.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientQuery {
    /// Part of the id or the name. Upper and lower case are equal.
    pub search: Option<String>,
    pub after: Option<ClientId>,
    /// The most rows of the page.
    pub limit: u32,
}

/// The other clients of the tenant that an edit of one client needs. Loading only these makes the cost of an
/// edit independent of the number of clients.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RelatedClients<'a> {
    /// The clients with one of these ids, including deleted ones.
    pub ids: &'a [&'a str],
    /// For each of these names, one other client that lists it as audience or resource and is not deleted.
    /// One is enough to show that no client can have the name as its id.
    pub listed: &'a [&'a str],
}

/// Audit records, the newest first. The records of one tenant are ordered by position, the records of all
/// tenants by time, tenant and position.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditQuery {
    pub tenant: Option<TenantId>,
    pub actor: Option<String>,
    /// Only records with this action, such as `client.changed`, or with this prefix, such as `client.`.
    pub action: Option<String>,
    /// Only records of this row or of rows below it: `svc` includes `svc/s1`.
    pub subject: Option<String>,
    /// Only records at or after this time.
    pub since: Option<Timestamp>,
    /// Only records before this time.
    pub until: Option<Timestamp>,
    /// Only records that follow this record in the list, so earlier ones.
    pub before: Option<AuditCursor>,
    /// The most rows of the page.
    pub limit: u32,
}

/// The last record of a page of the audit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditCursor {
    pub at: Timestamp,
    pub tenant: TenantId,
    /// Its position in the audit of the tenant.
    pub position: i64,
}

impl AuditCursor {
    #[must_use]
    pub fn new(position: i64, record: &AuditRecord) -> Self {
        Self { at: record.at.into(), tenant: record.tenant.clone(), position }
    }
}

/// The words of a text in lower case, each once. Both queries and the index of tenants consist of such words.
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
