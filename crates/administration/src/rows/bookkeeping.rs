//! Bookkeeping: revisions, tenant metadata, the audit, the log of changes, answers to idempotency keys.

use serde_json::{Value, json};

use super::{Decided, hex, seconds};
use crate::{AuditRecord, CommitRequest, IdempotentAnswer, Invalidation, ManagedBy, invalidations};

/// The expected revisions of the tenants whose own rows the commit does not write. The commit increments them.
pub(super) fn revision_rows(request: &CommitRequest, decided: &Decided) -> Vec<Value> {
    let others = request.expected_revisions.iter().filter(|(id, _)| !decided.tenants.contains_key(id));
    others.map(|(tenant, revision)| json!({ "tenant_id": tenant.as_str(), "revision": revision })).collect()
}

/// The fingerprints of the declarations that tenants agree with. Only the files write them.
pub(super) fn fingerprint_rows(request: &CommitRequest) -> Vec<Value> {
    let of_files = request.tenant_metadata.iter().filter(|_| request.managed_by == ManagedBy::Config);
    of_files
        .map(|metadata| {
            let fingerprint = metadata.fingerprint.map(|fingerprint| hex(fingerprint.as_bytes()));
            json!({ "tenant_id": metadata.tenant.as_str(), "fingerprint": fingerprint })
        })
        .collect()
}

/// When the last tokens that were issued under longer lifetimes expire.
pub(super) fn previous_tokens_rows(request: &CommitRequest) -> Vec<Value> {
    let noted = request.tenant_metadata.iter().filter_map(|metadata| {
        let until = seconds(metadata.previous_tokens_until?);
        Some(json!({ "tenant_id": metadata.tenant.as_str(), "earlier_tokens_until": until }))
    });
    noted.collect()
}

pub(super) fn audit_row(record: &AuditRecord) -> Value {
    let AuditRecord { at, actor, source, action, tenant, subject, detail } = record;
    json!({
        "tenant_id": tenant.as_str(),
        "at": seconds(*at),
        "actor": actor,
        "source": source,
        "action": action,
        "subject": subject,
        "detail": detail,
    })
}

/// The row of a change that caches must know of.
#[must_use]
pub fn log_row(invalidation: &Invalidation) -> Value {
    let (kind, tenant, client) = match invalidation {
        Invalidation::Tenant(tenant) => ("tenant", tenant, None),
        Invalidation::Keys(tenant) => ("keys", tenant, None),
        Invalidation::Client(tenant, client) => ("client", tenant, Some(client.as_str())),
    };
    json!({ "kind": kind, "tenant_id": tenant.as_str(), "client_id": client })
}

pub(super) fn log_rows(request: &CommitRequest) -> Vec<Value> {
    invalidations(&request.changes).iter().map(log_row).collect()
}

/// Expired answers are deleted before it is inserted; another answer to the same key makes the commit stale.
pub(super) fn idempotent_answer_row(answer: &IdempotentAnswer) -> Value {
    json!({
        "tenant_id": answer.tenant.as_str(),
        "key": hex(&answer.key),
        "request": hex(&answer.request),
        "sealed": hex(&answer.sealed),
        "expires_at": seconds(answer.expires_at),
    })
}
