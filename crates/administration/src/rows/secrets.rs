//! Secrets of clients. A commit inserts new ones, and writes how existing ones end; a hash never changes.

use registry::{ClientId, SecretId};
use serde_json::{Value, json};
use tenancy::TenantId;

use super::{Decided, hex, seconds};
use crate::SecretState;

/// What a commit does to secrets.
#[derive(Debug)]
pub struct SecretRows {
    /// New rows.
    pub added: Vec<Value>,
    /// How existing secrets end. A secret that was deleted meanwhile makes the commit stale.
    pub changed: Vec<Value>,
}

type Keyed<'a> = (&'a (TenantId, ClientId, SecretId), &'a SecretState);

impl SecretRows {
    pub(super) fn of(decided: &Decided) -> Self {
        Self {
            added: decided.new_secrets.iter().map(new_secret_row).collect(),
            changed: decided.secrets.iter().map(secret_row).collect(),
        }
    }
}

fn new_secret_row(((tenant, client, id), row): Keyed<'_>) -> Value {
    json!({
        "tenant_id": tenant.as_str(),
        "client_id": client.as_str(),
        "secret_id": id.as_str(),
        "hash": row.secret.hash.to_string(),
        "hint": row.secret.hint,
        "managed_by": row.managed_by.as_str(),
        "created_at": seconds(row.secret.created_at),
        "expires_at": row.secret.expires_at.map(seconds),
        "declared_digest": row.declared_digest.map(|digest| hex(&digest)),
        "declared_expires_at": row.declared_expires_at.map(seconds),
    })
}

fn secret_row(((tenant, client, id), row): Keyed<'_>) -> Value {
    json!({
        "tenant_id": tenant.as_str(),
        "client_id": client.as_str(),
        "secret_id": id.as_str(),
        "expires_at": row.secret.expires_at.map(seconds),
        "revoked_at": row.secret.revoked_at.map(seconds),
        "revoked_by": row.revoked_by.map(crate::ManagedBy::as_str),
        "declared_expires_at": row.declared_expires_at.map(seconds),
    })
}
