//! Writes a commit in one transaction. Rows travel as JSON arrays, many to a statement, so that onboarding ten thousand tenants is
//! some hundred statements. First the revisions that the decision was made on are compared and incremented, and each statement must
//! touch as many rows as it was given: otherwise nothing is written. Commits happen one after another, of all replicas together, so no
//! other commit changes what one has found.

use administration::CommitRequest;
use administration::rows::{CommitRows, Decided};
use serde_json::Value;
use sqlx::error::{DatabaseError, ErrorKind};
use tenancy::StoreError;

use crate::database::{Database, Purpose};
use crate::error::store_error;
use crate::statement::Dialect;
use crate::transaction::Transaction;

/// Rows in one statement: some hundred kilobytes of JSON.
const BATCH: usize = 1000;

/// The tables of which nothing stays of a deleted tenant. The uses of a secret are deleted with the secret.
const EMPTIED: [&str; 6] = [
    "client_secrets",
    "signing_keys",
    "key_schedules",
    "key_sightings",
    "applications",
    "idempotent_answers",
];

/// The tables whose rows stay and reserve their names.
const MARKED: [&str; 2] = ["clients", "resource_servers"];

const SECRETS_OF_CLIENTS: &str = "
    DELETE FROM client_secrets
     WHERE (tenant_id, client_id) IN (SELECT tenant_id, client_id FROM {given(tenant_id text, client_id text)})";

/// Why nothing was written.
#[derive(Debug)]
pub(crate) enum CommitError {
    /// Something else was written since the decision.
    StaleRevision,
    /// The store failed, or holds what cannot be read.
    Store(StoreError),
}

impl From<sqlx::Error> for CommitError {
    fn from(error: sqlx::Error) -> Self {
        match error.as_database_error().map(DatabaseError::kind) {
            // A row that was not there at the decision, or one that was.
            Some(ErrorKind::UniqueViolation | ErrorKind::ForeignKeyViolation) => Self::StaleRevision,
            _ => Self::Store(store_error(error)),
        }
    }
}

/// A commit under way.
pub(crate) struct CommitWriter<'a> {
    pub(crate) transaction: Transaction<'a>,
    pub(crate) request: &'a CommitRequest,
    pub(crate) dialect: Dialect,
}

/// Writes everything and returns the number of the generation, if there is one. The order is part of the commit: rows that others
/// refer to come first, deletions after all rows, and the change log last, because its lock is shared by all tenants.
pub(crate) async fn commit(database: &Database, request: &CommitRequest) -> Result<Option<u64>, CommitError> {
    let decided = Decided::of(request).map_err(|error| CommitError::Store(StoreError::fault(error)))?;
    let decided = decided.ok_or(CommitError::StaleRevision)?;
    let rows = CommitRows::of(request, &decided);
    let purpose = request.sole_tenant().map_or(Purpose::Commit, Purpose::CommitOf);
    let transaction = database.begin(purpose).await?;
    let mut writer = CommitWriter { transaction, request, dialect: database.dialect() };
    let generation = writer.generation().await?;
    writer.revisions(&rows.revisions).await?;
    writer.tenants(&rows.tenants).await?;
    writer.resource_servers(&rows.resource_servers).await?;
    writer.clients(&rows.clients).await?;
    writer.secrets(&rows.secrets).await?;
    writer.applications(&rows.applications).await?;
    writer.keys(&rows.keys).await?;
    writer.tenant_metadata(&rows.fingerprints, &rows.previous_tokens).await?;
    writer.previous_jwks(&rows.previous_jwks).await?;
    writer.deletions(&rows.tenants.deleted, &rows.clients.deleted).await?;
    writer.idempotent_answers(&rows.idempotent_answers).await?;
    writer.audit(&rows.audit).await?;
    writer.change_log(&rows.change_log).await?;
    writer.transaction.commit().await?;
    Ok(generation)
}

impl CommitWriter<'_> {
    async fn deletions(&mut self, tenants: &[Value], clients: &[Value]) -> Result<(), CommitError> {
        const OF_TENANTS: &str = "WHERE tenant_id IN (SELECT tenant_id FROM {given(tenant_id text)})";
        for table in EMPTIED {
            self.each(&format!("DELETE FROM {table} {OF_TENANTS}"), tenants).await?;
        }
        for table in MARKED {
            let mark = format!("UPDATE {table} SET deleted_at = $2 {OF_TENANTS} AND deleted_at IS NULL");
            self.each(&mark, tenants).await?;
        }
        self.each(SECRETS_OF_CLIENTS, clients).await.map(drop)
    }

    /// Executes the statement once for each batch, with the rows as `{given(…)}` and the time as `$2`, and returns the number of
    /// touched rows.
    pub(crate) async fn each(&mut self, text: &str, rows: &[Value]) -> Result<u64, CommitError> {
        let mut touched = 0;
        for batch in rows.chunks(BATCH) {
            touched += self.transaction.write(text, batch, self.request.now).await?;
        }
        Ok(touched)
    }

    /// As `each`, where every row must be touched.
    pub(crate) async fn all(&mut self, text: &str, rows: &[Value]) -> Result<(), CommitError> {
        let touched = self.each(text, rows).await?;
        if touched == rows.len() as u64 { Ok(()) } else { Err(CommitError::StaleRevision) }
    }
}
