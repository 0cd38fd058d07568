//! The columns of applications, generations, answers to idempotency keys, used identifiers, usage, the audit and the log of changes.

use accounts::AccountId;
use administration::{
    Application, AuditRecord, Generation, IdempotentAnswer, Invalidation, SecretUsage, VerifierFetch,
};
use registry::{ClientId, SingleUseIdentifier};
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
    let client = Option::<ClientId>::read(row, "client_id")?;
    match (kind.as_str(), client, Option::<AccountId>::read(row, "account_id")?) {
        ("tenant", None, None) => Ok(Invalidation::Tenant(tenant)),
        ("keys", None, None) => Ok(Invalidation::Keys(tenant)),
        ("revocations", None, None) => Ok(Invalidation::Revocations(tenant)),
        ("client", Some(client), None) => Ok(Invalidation::Client(tenant, client)),
        ("account", None, Some(account)) => Ok(Invalidation::Account(tenant, account)),
        _ => Err(Error::unreadable("kind", format_args!("unknown kind {kind:?}"))),
    }
}

/// The row of a change that caches must know of.
pub(crate) fn log_row(invalidation: &Invalidation) -> Value {
    let (kind, tenant, client, account) = match invalidation {
        Invalidation::Tenant(tenant) => ("tenant", tenant, None, None),
        Invalidation::Keys(tenant) => ("keys", tenant, None, None),
        Invalidation::Revocations(tenant) => ("revocations", tenant, None, None),
        Invalidation::Client(tenant, client) => ("client", tenant, Some(client.as_str()), None),
        Invalidation::Account(tenant, account) => ("account", tenant, None, Some(account.as_str())),
    };
    json!({ "kind": kind, "tenant_id": tenant.as_str(), "client_id": client, "account_id": account })
}
