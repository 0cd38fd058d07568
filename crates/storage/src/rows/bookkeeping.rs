//! The columns of applications, generations, answers to idempotency keys, used identifiers, usage, the audit and the log of changes.

use administration::{
    Application, AuditRecord, Generation, IdempotentAnswer, Invalidation, SecretUsage, VerifierFetch,
};
use registry::SingleUseIdentifier;
use serde_json::{Value, json};
use tenancy::TenantId;

use crate::column::Column as _;
use crate::columns::columns;
use crate::error::Error;
use crate::row::{FromRow, Row};

columns! {
    Application {
        tenant: "tenant_id",
        id: "application_id",
        name: "name",
        client: "client_id",
        document: "document",
        created_at: "created_at",
    }
}

columns! {
    Generation { number: "number", content: "content", applied_at: "applied_at", left_out: "left_out" }
}

columns! {
    IdempotentAnswer {
        tenant: "tenant_id",
        key: "key",
        request: "request",
        sealed: "sealed",
        expires_at: "expires_at",
    }
}

columns! {
    SingleUseIdentifier { digest: "digest", expires_at: "expires_at" }
}

columns! {
    SecretUsage {
        tenant: "tenant_id",
        client: "client_id",
        secret: "secret_id",
        address: "address",
        at: "last_used_at",
    }
}

columns! {
    VerifierFetch {
        tenant: "tenant_id",
        verifier: "verifier",
        last_fetch_at: "last_fetch_at",
        newest_key: "newest_key",
    }
}

columns! {
    AuditRecord {
        tenant: "tenant_id",
        at: "at",
        actor: "actor",
        source: "source",
        credential: "credential",
        sender_constraint: "sender_constraint",
        action: "action",
        subject: "subject",
        detail: "detail",
    }
}

/// With its position.
impl FromRow for (i64, AuditRecord) {
    fn selection(table: &str) -> String {
        format!("{table}.position, {}", AuditRecord::selection(table))
    }

    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok((row.get("position")?, AuditRecord::from_row(row)?))
    }
}

/// A row of the log of changes. A newer program may log kinds that this one does not cache.
pub(crate) struct LoggedChange {
    pub(crate) position: i64,
    pub(crate) change: Result<Invalidation, Error>,
}

impl FromRow for LoggedChange {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self { position: row.get("position")?, change: invalidation(row) })
    }
}

fn invalidation(row: &Row) -> Result<Invalidation, Error> {
    let tenant = TenantId::read(row, "tenant_id")?;
    let kind: String = row.get("kind")?;
    let mut name = None;
    for kind in Invalidation::NAMED {
        name = name.or(row.get::<Option<String>>(&name_column(kind))?);
    }
    let unknown = || Error::unreadable("kind", format_args!("unknown kind {kind:?}"));
    Invalidation::of(&kind, tenant, name.as_deref()).ok_or_else(unknown)
}

/// The column of the log that has the name of a thing of this kind.
pub(crate) fn name_column(kind: &str) -> String {
    format!("{kind}_id")
}

/// The row of a change that caches must know of.
pub(crate) fn log_row(invalidation: &Invalidation) -> Value {
    let (kind, name) = invalidation.kind_and_name();
    let mut row = json!({ "kind": kind, "tenant_id": invalidation.tenant().as_str() });
    for known in Invalidation::NAMED {
        row[name_column(known)] = name.filter(|_| known == kind).into();
    }
    row
}
