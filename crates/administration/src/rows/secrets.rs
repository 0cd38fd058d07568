//! Secrets of clients. A row is added, its end moves, it is revoked or counts again; its hash never changes.

use protocol::Timestamp;
use serde::Serialize;

use super::{hex, seconds};
use crate::{Change, CommitRequest, NewSecret, SecretChangeKind};

/// What happens to secrets.
#[derive(Debug, Default)]
pub struct SecretRows<'a> {
    /// They come to be, under the commit's door; with the files' their end is the declared one too.
    pub added: Vec<NewSecretRow<'a>>,
    /// Their end moves; with the files' door the declared one too. The files move only their own, the API any.
    pub rescheduled: Vec<SecretRow<'a>>,
    /// As rescheduled ones, and they count again. Only for the door whose they are and which has revoked them.
    pub restored: Vec<SecretRow<'a>>,
    /// They are revoked by the door, if they were not before. The files revoke only their own, the API any.
    pub revoked: Vec<SecretRow<'a>>,
}

/// A secret's row that comes to be.
#[expect(missing_docs, reason = "the columns are described in the migrations")]
#[derive(Debug, Serialize)]
pub struct NewSecretRow<'a> {
    pub tenant_id: &'a str,
    pub client_id: &'a str,
    pub secret_id: &'a str,
    pub hash: String,
    pub hint: &'a str,
    pub created_at: i64,
    pub expires_at: Option<i64>,
    /// In hexadecimal digits.
    pub declared_digest: Option<String>,
}

/// A secret and its new end, if that moves.
#[expect(missing_docs, reason = "the columns are described in the migrations")]
#[derive(Debug, Serialize)]
pub struct SecretRow<'a> {
    pub tenant_id: &'a str,
    pub client_id: &'a str,
    pub secret_id: &'a str,
    pub expires_at: Option<i64>,
}

impl<'a> SecretRows<'a> {
    pub(super) fn of(request: &'a CommitRequest) -> Self {
        let mut rows = Self::default();
        for change in &request.changes {
            let Change::Secret(tenant, client, secret) = change else { continue };
            let row = |end: Option<Timestamp>| SecretRow {
                tenant_id: tenant.as_str(),
                client_id: client.as_str(),
                secret_id: secret.id.as_str(),
                expires_at: end.map(seconds),
            };
            match secret.kind {
                // The row comes with its hash, beside the change.
                SecretChangeKind::Added { .. } => {}
                SecretChangeKind::Rescheduled { after, .. } => rows.rescheduled.push(row(after)),
                SecretChangeKind::Restored { expires_at } => rows.restored.push(row(expires_at)),
                SecretChangeKind::Revoked => rows.revoked.push(row(None)),
            }
        }
        rows.added = request.secrets.iter().map(new_secret_row).collect();
        rows
    }
}

fn new_secret_row(new: &NewSecret) -> NewSecretRow<'_> {
    let NewSecret { tenant, client, secret, declared_digest } = new;
    NewSecretRow {
        tenant_id: tenant.as_str(),
        client_id: client.as_str(),
        secret_id: secret.id.as_str(),
        hash: secret.hash.to_string(),
        hint: &secret.hint,
        created_at: seconds(secret.created_at),
        expires_at: secret.expires_at.map(seconds),
        declared_digest: declared_digest.map(|digest| hex(&digest)),
    }
}
