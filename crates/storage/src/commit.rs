//! Writes a commit in one transaction. Rows are sent as JSON arrays, many in a statement, so that onboarding
//! ten thousand tenants takes some hundred statements. The revisions of the decision are compared and
//! incremented first. Each statement must then touch as many rows as it was given; otherwise nothing is
//! written. Commits of all replicas run one after another, so no other commit changes the rows that one has
//! read. Only commits of API keys, whose rows have revisions of their own, run beside others.

use administration::rows::Decided;
use administration::{Change, ChangeKind, CommitOutcome, CommitRequest, RowChange};
use tenancy::StoreError;

use crate::audit_records::{self, BATCH};
use crate::columns::Columns;
use crate::database::Database;
use crate::error::Error;
use crate::one_time;
use crate::transaction::{Purpose, Transaction};

/// The tables whose rows are deleted with their tenant, beside
/// [those of records that are used once](one_time::TABLES). The uses of a secret are deleted with the secret.
const EMPTIED: [&str; 19] = [
    "client_secrets",
    "api_keys",
    "signing_keys",
    "key_schedules",
    "key_sightings",
    "applications",
    "idempotent_answers",
    "revocations",
    "account_identifiers",
    "sessions",
    "refresh_families",
    "consents",
    "session_clients",
    "logout_outbox",
    "accounts",
    "tenant_logos",
    "usage_days",
    "refusals",
    "console_sessions",
];

/// The tables whose rows stay and reserve their names.
const MARKED: [&str; 2] = ["clients", "resource_servers"];

/// A commit that is being written.
pub(crate) struct CommitWriter<'a> {
    pub(crate) transaction: Transaction<'a>,
    pub(crate) request: &'a CommitRequest,
    pub(crate) decided: &'a Decided,
}

/// Writes everything. The order is part of the
/// commit: rows that others refer to come first, deletions after all rows, and the change log last, because
/// all tenants share its lock.
pub(crate) async fn commit(database: &Database, request: &CommitRequest) -> Result<CommitOutcome, Error> {
    let decided = Decided::from_request(request).map_err(StoreError::fault)?.ok_or(Error::Stale)?;
    let purpose = match request.sole_tenant() {
        // It rests on no revision of the tenant, so it waits for no other commit.
        Some(tenant) if request.is_of_api_keys() => Purpose::CommitBeside(tenant),
        Some(tenant) => Purpose::CommitOf(tenant),
        None => Purpose::Commit,
    };
    let transaction = database.begin(purpose).await?;
    let mut writer = CommitWriter { transaction, request, decided: &decided };
    let generation = writer.generation().await?;
    writer.revisions().await?;
    let resumed_until = writer.revocations().await?;
    writer.tenants().await?;
    writer.logos().await?;
    let servers = decided.resource_servers.iter().map(|((tenant, _), row)| (tenant, row));
    writer.put("resource_servers", "tenant_id, audience", &Vec::from_iter(servers)).await?;
    writer.clients().await?;
    writer.secrets().await?;
    writer.api_keys().await?;
    writer.accounts().await?;
    writer.applications().await?;
    writer.keys().await?;
    writer.tenant_metadata().await?;
    writer.previous_jwks().await?;
    writer.deletions().await?;
    writer.idempotent_answer().await?;
    let is_locked = matches!(purpose, Purpose::CommitBeside(_));
    audit_records::add(&mut writer.transaction, &request.audit, is_locked).await?;
    writer.change_log().await?;
    writer.transaction.commit().await?;
    Ok(CommitOutcome::Committed { generation, resumed_until })
}

impl CommitWriter<'_> {
    async fn deletions(&mut self) -> Result<(), Error> {
        let (mut tenants, mut clients) = (Vec::new(), Vec::new());
        for change in &self.request.changes {
            match change {
                Change::Tenant(RowChange { kind: ChangeKind::Deleted, after, .. }) => tenants.push(&after.id),
                Change::Client(RowChange { kind: ChangeKind::Deleted, after, .. }) => {
                    clients.push((&after.tenant, &after.id));
                }
                _ => {}
            }
        }
        for table in EMPTIED.into_iter().chain(one_time::TABLES.map(|table| table.name)) {
            self.delete(table, &tenants).await?;
        }
        for table in MARKED {
            let mark = format!(
                "UPDATE {table} SET deleted_at = $2
                  WHERE tenant_id IN (SELECT tenant_id FROM {{given}}) AND deleted_at IS NULL"
            );
            self.each(&mark, &tenants).await?;
        }
        self.delete("client_secrets", &clients).await?;
        self.delete("api_keys", &clients).await
    }

    /// Executes the statement once for each batch, with the rows as `{given}` and the time as `$2`, and
    /// returns the number of touched rows.
    pub(crate) async fn each<R: Columns>(&mut self, text: &str, rows: &[R]) -> Result<u64, Error> {
        let mut touched = 0;
        for batch in rows.chunks(BATCH) {
            touched += self.transaction.write(text, batch, self.request.now).await?;
        }
        Ok(touched)
    }

    /// Inserts the rows into the table.
    pub(crate) async fn insert<R: Columns>(&mut self, table: &str, rows: &[R]) -> Result<(), Error> {
        self.all(&format!("INSERT INTO {table} ({{names}}) SELECT {{names}} FROM {{given}}"), rows).await
    }

    /// Inserts the rows into the table, whose key these columns are, or updates the existing rows.
    pub(crate) async fn put<R: Columns>(&mut self, table: &str, key: &str, rows: &[R]) -> Result<(), Error> {
        let text = format!(
            "INSERT INTO {table} ({{names}}) SELECT {{names}} FROM {{given}} WHERE TRUE
             ON CONFLICT ({key}) DO UPDATE SET {{updates}}"
        );
        self.all(&text, rows).await
    }

    /// Deletes the rows of the table that have these names.
    pub(crate) async fn delete<R: Columns>(&mut self, table: &str, names: &[R]) -> Result<(), Error> {
        let text = format!("DELETE FROM {table} WHERE ({{names}}) IN (SELECT {{names}} FROM {{given}})");
        self.each(&text, names).await.map(drop)
    }

    /// Does the same as `each`. Every row must be touched.
    pub(crate) async fn all<R: Columns>(&mut self, text: &str, rows: &[R]) -> Result<(), Error> {
        let touched = self.each(text, rows).await?;
        if touched == rows.len() as u64 { Ok(()) } else { Err(Error::Stale) }
    }
}
