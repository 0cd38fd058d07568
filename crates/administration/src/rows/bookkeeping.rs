//! Bookkeeping: revisions, tenant metadata, the audit, the log of changes, answers to idempotency keys.

use serde::Serialize;
use serde_json::Value;

use super::{Decided, hex, seconds};
use crate::{AuditRecord, CommitRequest, IdempotentAnswer, Invalidation, ManagedBy, invalidations};

/// The expected revision of a tenant, which the commit counts up.
#[expect(missing_docs, reason = "the columns are described in the migrations")]
#[derive(Debug, Serialize)]
pub struct RevisionRow<'a> {
    pub tenant_id: &'a str,
    pub revision: i64,
}

/// The fingerprint of the declaration that a tenant agrees with. Only the files write it.
#[expect(missing_docs, reason = "the columns are described in the migrations")]
#[derive(Debug, Serialize)]
pub struct FingerprintRow<'a> {
    pub tenant_id: &'a str,
    /// In hexadecimal digits.
    pub fingerprint: Option<String>,
}

/// When the last token that was issued under a longer lifetime expires.
#[expect(missing_docs, reason = "the columns are described in the migrations")]
#[derive(Debug, Serialize)]
pub struct PreviousTokensRow<'a> {
    pub tenant_id: &'a str,
    pub earlier_tokens_until: i64,
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

/// Of the tenants whose own rows the commit does not write.
pub(super) fn revision_rows<'a>(request: &'a CommitRequest, decided: &Decided) -> Vec<RevisionRow<'a>> {
    let others = request.expected_revisions.iter().filter(|(id, _)| !decided.tenants.contains_key(id));
    others
        .map(|(tenant, revision)| RevisionRow {
            tenant_id: tenant.as_str(),
            revision: i64::try_from(*revision).unwrap_or(i64::MAX),
        })
        .collect()
}

pub(super) fn fingerprint_rows(request: &CommitRequest) -> Vec<FingerprintRow<'_>> {
    let of_files = request.tenant_metadata.iter().filter(|_| request.managed_by == ManagedBy::Config);
    of_files
        .map(|metadata| FingerprintRow {
            tenant_id: metadata.tenant.as_str(),
            fingerprint: metadata.fingerprint.map(|fingerprint| hex(fingerprint.as_bytes())),
        })
        .collect()
}

pub(super) fn previous_tokens_rows(request: &CommitRequest) -> Vec<PreviousTokensRow<'_>> {
    let metadata = request.tenant_metadata.iter();
    metadata
        .filter_map(|metadata| {
            let earlier_tokens_until = seconds(metadata.previous_tokens_until?);
            Some(PreviousTokensRow { tenant_id: metadata.tenant.as_str(), earlier_tokens_until })
        })
        .collect()
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
