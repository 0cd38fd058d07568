//! Secrets of clients. A commit inserts new ones, and writes how existing ones end; a hash never changes.

use registry::{ClientId, SecretId};
use serde::Serialize;
use tenancy::TenantId;

use super::{Decided, hex, seconds};
use crate::SecretState;

/// What a commit does to secrets.
#[derive(Debug)]
pub struct SecretRows<'a> {
    /// New rows.
    pub added: Vec<NewSecretRow<'a>>,
    /// How existing secrets end. A secret that was deleted meanwhile makes the commit stale.
    pub changed: Vec<SecretRow<'a>>,
}

/// The row of a new secret.
#[expect(missing_docs, reason = "the columns are described in the migrations")]
#[derive(Debug, Serialize)]
pub struct NewSecretRow<'a> {
    pub tenant_id: &'a str,
    pub client_id: &'a str,
    pub secret_id: &'a str,
    pub hash: String,
    pub hint: &'a str,
    pub managed_by: &'static str,
    pub created_at: i64,
    pub expires_at: Option<i64>,
    /// In hexadecimal digits.
    pub declared_digest: Option<String>,
    pub declared_expires_at: Option<i64>,
}

/// The end of a secret.
#[expect(missing_docs, reason = "the columns are described in the migrations")]
#[derive(Debug, Serialize)]
pub struct SecretRow<'a> {
    pub tenant_id: &'a str,
    pub client_id: &'a str,
    pub secret_id: &'a str,
    pub expires_at: Option<i64>,
    pub revoked_at: Option<i64>,
    pub revoked_by: Option<&'static str>,
    pub declared_expires_at: Option<i64>,
}

type Keyed<'a> = (&'a (TenantId, ClientId, SecretId), &'a SecretState);

impl<'a> SecretRows<'a> {
    pub(super) fn of(decided: &'a Decided) -> Self {
        Self {
            added: decided.new_secrets.iter().map(new_secret_row).collect(),
            changed: decided.secrets.iter().map(secret_row).collect(),
        }
    }
}

fn new_secret_row<'a>(((tenant, client, id), row): Keyed<'a>) -> NewSecretRow<'a> {
    NewSecretRow {
        tenant_id: tenant.as_str(),
        client_id: client.as_str(),
        secret_id: id.as_str(),
        hash: row.secret.hash.to_string(),
        hint: &row.secret.hint,
        managed_by: row.managed_by.as_str(),
        created_at: seconds(row.secret.created_at),
        expires_at: row.secret.expires_at.map(seconds),
        declared_digest: row.declared_digest.map(|digest| hex(&digest)),
        declared_expires_at: row.declared_expires_at.map(seconds),
    }
}

fn secret_row<'a>(((tenant, client, id), row): Keyed<'a>) -> SecretRow<'a> {
    SecretRow {
        tenant_id: tenant.as_str(),
        client_id: client.as_str(),
        secret_id: id.as_str(),
        expires_at: row.secret.expires_at.map(seconds),
        revoked_at: row.secret.revoked_at.map(seconds),
        revoked_by: row.revoked_by.map(crate::ManagedBy::as_str),
        declared_expires_at: row.declared_expires_at.map(seconds),
    }
}
