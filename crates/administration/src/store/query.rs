//! Queries for lists, page by page. A list continues after the last row of the page before, so that every
//! page costs the same.

use registry::ClientId;
use tenancy::TenantId;
use values::Timestamp;

use crate::audit::AuditRecord;

/// Tenants in the order of their ids. A search returns them in the order of the words that it found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TenantQuery {
    /// Each of these words is the prefix of a word in the tenant's id or name. They are in lower case, as
    /// [`search_terms`] returns them.
    pub terms: Vec<String>,
    /// Only rows after this one.
    pub after: Option<TenantCursor>,
    /// At most so many.
    pub limit: u32,
}

/// The end of a page of tenants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TenantCursor {
    /// The word that was found; empty where none was searched for.
    pub word: String,
    pub tenant: TenantId,
}

/// Clients of one tenant in the order of their ids.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientQuery {
    /// Part of the id or the name, upper or lower case.
    pub search: Option<String>,
    /// Only clients after this one.
    pub after: Option<ClientId>,
    /// At most so many.
    pub limit: u32,
}

/// The other clients of the tenant that an edit of one client needs. So an edit costs the same however many
/// clients there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RelatedClients<'a> {
    /// The clients with one of these ids, with deleted ones.
    pub ids: &'a [&'a str],
    /// For each of these names, one other client that lists it as audience or resource and is not deleted.
    /// One is enough: it shows that no client can have the name as its id.
    pub listed: &'a [&'a str],
}

/// Audit records, the newest first. Those of one tenant are ordered by position, those of all tenants by
/// time, tenant and position.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditQuery {
    /// Only records of this tenant.
    pub tenant: Option<TenantId>,
    /// Only records of this actor.
    pub actor: Option<String>,
    /// Only this action, such as `client.changed`, or all with this prefix, such as `client.`.
    pub action: Option<String>,
    /// Only records of this row or of rows below it: `svc` includes `svc/s1`.
    pub subject: Option<String>,
    /// Only records from this instant on.
    pub since: Option<Timestamp>,
    /// Before then.
    pub until: Option<Timestamp>,
    /// Only records after this one in the order of the list.
    pub before: Option<AuditCursor>,
    /// At most so many.
    pub limit: u32,
}

/// The end of a page of the audit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditCursor {
    /// The time of the record.
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

/// The words of a text, each once, in lower case. A search consists of them, and a tenant is found by them.
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
