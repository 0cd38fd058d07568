//! Secrets of clients. A row is added, its end moves, it is revoked or counts again; its hash never changes.

use administration::{Change, NewSecret, SecretChangeKind};
use protocol::Timestamp;
use serde::Serialize;

use super::{CommitError, Writing};
use crate::column::seconds;

const INSERT: &str = "
    INSERT INTO client_secrets (tenant_id, client_id, secret_id, hash, hint, managed_by, created_at, expires_at,
                                declared_digest, declared_expires_at)
    SELECT tenant_id, client_id, secret_id, hash, hint, $3, created_at, expires_at, decode(digest, 'hex'),
           expires_at
      FROM json_to_recordset($1::json) AS given (
               tenant_id text, client_id text, secret_id text, hash text, hint text, created_at bigint,
               expires_at bigint, digest text)";

const RESCHEDULE: &str = "
    UPDATE client_secrets s SET expires_at = given.expires_at, declared_expires_at = given.expires_at
      FROM json_to_recordset($1::json) AS given (
               tenant_id text, client_id text, secret_id text, expires_at bigint)
     WHERE s.tenant_id = given.tenant_id AND s.client_id = given.client_id
       AND s.secret_id = given.secret_id AND s.managed_by = $3";

/// What another door has revoked meanwhile stays revoked, and the plan is made anew.
const RESTORE: &str = "
    UPDATE client_secrets s
       SET revoked_at = NULL, revoked_by = NULL,
           expires_at = given.expires_at, declared_expires_at = given.expires_at
      FROM json_to_recordset($1::json) AS given (
               tenant_id text, client_id text, secret_id text, expires_at bigint)
     WHERE s.tenant_id = given.tenant_id AND s.client_id = given.client_id
       AND s.secret_id = given.secret_id AND s.managed_by = $3 AND s.revoked_by = $3";

const REVOKE: &str = "
    UPDATE client_secrets s SET revoked_at = $2, revoked_by = $3
      FROM json_to_recordset($1::json) AS given (tenant_id text, client_id text, secret_id text)
     WHERE s.tenant_id = given.tenant_id AND s.client_id = given.client_id
       AND s.secret_id = given.secret_id AND s.managed_by = $3 AND s.revoked_at IS NULL";

#[derive(Serialize)]
struct NewRow<'a> {
    tenant_id: &'a str,
    client_id: &'a str,
    secret_id: &'a str,
    hash: String,
    hint: &'a str,
    created_at: i64,
    expires_at: Option<i64>,
    digest: Option<String>,
}

#[derive(Serialize)]
struct Row<'a> {
    tenant_id: &'a str,
    client_id: &'a str,
    secret_id: &'a str,
    expires_at: Option<i64>,
}

impl Writing<'_> {
    pub(super) async fn secrets(&mut self) -> Result<(), CommitError> {
        let (mut rescheduled, mut restored, mut revoked) = (Vec::new(), Vec::new(), Vec::new());
        for change in &self.request.changes {
            let Change::Secret(tenant, client, secret) = change else { continue };
            let row = |end: Option<Timestamp>| Row {
                tenant_id: tenant.as_str(),
                client_id: client.as_str(),
                secret_id: secret.id.as_str(),
                expires_at: end.map(seconds),
            };
            match secret.kind {
                // The row comes with its hash, beside the change.
                SecretChangeKind::Added { .. } => {}
                SecretChangeKind::Rescheduled { after, .. } => rescheduled.push(row(after)),
                SecretChangeKind::Restored { expires_at } => restored.push(row(expires_at)),
                SecretChangeKind::Revoked => revoked.push(row(None)),
            }
        }
        let added: Vec<_> = self.request.secrets.iter().map(new_row).collect();
        self.all(INSERT, &added).await?;
        self.all(RESCHEDULE, &rescheduled).await?;
        self.all(RESTORE, &restored).await?;
        self.all(REVOKE, &revoked).await
    }
}

fn new_row(new: &NewSecret) -> NewRow<'_> {
    let NewSecret { tenant, client, secret, declared_digest } = new;
    NewRow {
        tenant_id: tenant.as_str(),
        client_id: client.as_str(),
        secret_id: secret.id.as_str(),
        hash: secret.hash.to_string(),
        hint: &secret.hint,
        created_at: seconds(secret.created_at),
        expires_at: secret.expires_at.map(seconds),
        digest: declared_digest.map(|digest| super::books::hex(&digest)),
    }
}
