//! What is kept beside the rows: revisions, marks at tenants, the audit, the log of changes, answers to idempotency keys.

use serde::Serialize;
use serde_json::Value;

use super::{hex, seconds};
use crate::{AuditRecord, CommitRequest, IdempotentAnswer, Invalidation, TenantMetadata, invalidations};

/// A tenant that was there, at the revision that is counted up.
#[expect(missing_docs, reason = "the columns are described in the migrations")]
#[derive(Debug, Serialize)]
pub struct RevisionRow<'a> {
    pub tenant_id: &'a str,
    pub revision: i64,
}

/// What is noted at a tenant. The fingerprint is for the files' door only, and for their own tenants: the API's leaves it alone. A
/// missing time leaves what is noted.
#[expect(missing_docs, reason = "the columns are described in the migrations")]
#[derive(Debug, Serialize)]
pub struct TenantMetadataRow<'a> {
    pub tenant_id: &'a str,
    /// In hexadecimal digits.
    pub fingerprint: Option<String>,
    pub earlier_tokens_until: Option<i64>,
}

/// A row of `audit_records`; positions follow the order of the list.
#[expect(missing_docs, reason = "the columns are described in the migrations")]
#[derive(Debug, Serialize)]
pub struct AuditRow<'a> {
    pub tenant_id: &'a str,
    pub at: i64,
    pub actor: &'a str,
    pub source: Option<&'a str>,
    pub action: &'a str,
    pub subject: &'a str,
    pub detail: &'a Value,
}

/// A row of `change_log`; positions follow the order of the list.
#[expect(missing_docs, reason = "the columns are described in the migrations")]
#[derive(Debug, Serialize)]
pub struct LogRow {
    pub kind: &'static str,
    pub tenant_id: String,
    pub client_id: Option<String>,
}

/// A row of `idempotent_answers`. Expired ones are removed before it is inserted; a live one in its place supersedes the commit.
#[expect(missing_docs, reason = "the columns are described in the migrations")]
#[derive(Debug, Serialize)]
pub struct IdempotentAnswerRow<'a> {
    pub tenant_id: &'a str,
    /// In hexadecimal digits, as all blobs here.
    pub key: String,
    pub request: String,
    pub sealed: String,
    pub expires_at: i64,
}

pub(super) fn revision_rows(request: &CommitRequest) -> Vec<RevisionRow<'_>> {
    request
        .expected_revisions
        .iter()
        .map(|(tenant, revision)| RevisionRow {
            tenant_id: tenant.as_str(),
            revision: i64::try_from(*revision).unwrap_or(i64::MAX),
        })
        .collect()
}

pub(super) fn tenant_metadata_row(metadata: &TenantMetadata) -> TenantMetadataRow<'_> {
    TenantMetadataRow {
        tenant_id: metadata.tenant.as_str(),
        fingerprint: metadata.fingerprint.map(|fingerprint| hex(fingerprint.as_bytes())),
        earlier_tokens_until: metadata.previous_tokens_until.map(seconds),
    }
}

pub(super) fn audit_row(record: &AuditRecord) -> AuditRow<'_> {
    let AuditRecord { at, actor, source, action, tenant, subject, detail } = record;
    AuditRow {
        tenant_id: tenant.as_str(),
        at: seconds(*at),
        actor,
        source: source.as_deref(),
        action,
        subject,
        detail,
    }
}

pub(super) fn log_rows(request: &CommitRequest) -> Vec<LogRow> {
    let row = |invalidation| match invalidation {
        Invalidation::Tenant(tenant) => {
            LogRow { kind: "tenant", tenant_id: tenant.to_string(), client_id: None }
        }
        Invalidation::Keys(tenant) => LogRow { kind: "keys", tenant_id: tenant.to_string(), client_id: None },
        Invalidation::Client(tenant, client) => {
            LogRow { kind: "client", tenant_id: tenant.to_string(), client_id: Some(client.to_string()) }
        }
    };
    invalidations(&request.changes).into_iter().map(row).collect()
}

pub(super) fn idempotent_answer_row(answer: &IdempotentAnswer) -> IdempotentAnswerRow<'_> {
    IdempotentAnswerRow {
        tenant_id: answer.tenant.as_str(),
        key: hex(&answer.key),
        request: hex(&answer.request),
        sealed: hex(&answer.sealed),
        expires_at: seconds(answer.expires_at),
    }
}
