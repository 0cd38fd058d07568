//! Writes a commit in one transaction. Rows are sent as JSON arrays, many per statement: onboarding ten
//! thousand tenants takes a few hundred statements.
//!
//! First, the commit compares and increments the revisions that the decision was based on. After that each
//! statement must touch exactly as many rows as it was given; otherwise the transaction is rolled back. A
//! commit locks the rows of its tenants, so that no other commit can change them. Commits of other tenants
//! run at the same time.

use std::collections::{BTreeMap, BTreeSet};

use administration::store;
use administration::store::{DeletedRows, Rows};
use keys::KeyId;
use serde_json::json;
use tenancy::TenantId;
use values::Timestamp;

use crate::audit_records::BATCH;
use crate::column::ColumnValue as _;
use crate::columns::Columns;
use crate::database::Database;
use crate::error::Error;
use crate::rows::log_row;
use crate::statement::{Dialect, Statement};
use crate::transaction::{Transaction, TransactionPurpose};
use crate::{
    accounts, api_keys, applications, audit_records, change_log, client_secrets, clients, idempotent_answers,
    key_schedules, logos, logouts, mail, one_time, signing_keys, tenants,
};

/// The tables whose rows are deleted with their tenant, in addition to [those of records that are used
/// once](one_time::TABLES). The uses of a secret are deleted with the secret.
const EMPTIED: [&str; 20] = [
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
    "mail_outbox",
    "accounts",
    "tenant_logos",
    "usage_days",
    "refusals",
    "console_sessions",
];

/// The tables whose rows stay after a deletion, marked as deleted, so that their ids cannot be used again.
const MARKED: [&str; 2] = ["clients", "resource_servers"];

struct CommitWriter<'a> {
    transaction: Transaction<'a>,
    now: Timestamp,
    /// The statements that have not been sent yet, each with the number of rows that it must touch, and their
    /// total size in bytes.
    unsent: Vec<(Statement, Option<u64>)>,
    bytes: usize,
}

/// Bytes. Statements are collected up to this size, so that a normal commit is one message to the server.
const MESSAGE: usize = 1 << 20;

/// The order matters: referenced rows are written before the rows that refer to them, and deletions come
/// after all rows.
pub(crate) async fn commit(
    database: &Database,
    commit: &store::Commit,
) -> Result<store::CommitOutcome, Error> {
    let has_deletions = !(commit.deleted.tenants.is_empty() && commit.deleted.clients.is_empty());
    let purpose = match commit.sole_tenant() {
        Some(tenant) if has_deletions => TransactionPurpose::DeletionOf(tenant),
        Some(tenant) => TransactionPurpose::CommitOf(tenant),
        None => TransactionPurpose::Commit,
    };
    let store::Commit { rows, deleted, now, .. } = commit;
    let transaction = database.begin(purpose).await?;
    let mut writer = CommitWriter { transaction, now: *now, unsent: Vec::new(), bytes: 0 };
    if matches!(purpose, TransactionPurpose::Commit) && writer.transaction.dialect() == Dialect::Postgres {
        writer.each(tenants::LOCK, &Vec::from_iter(commit.tenants().collect::<BTreeSet<_>>())).await?;
        writer.send().await?;
    }
    let generation = match &commit.generation {
        Some(new) => Some(writer.transaction.add_generation(new, *now).await?),
        None => None,
    };
    // Only tenants without a written row need this: a written row contains the new revision.
    let others = commit.expected.iter().filter(|(id, _)| !rows.tenants.contains_key(id));
    let others = others.map(|(id, revision)| json!({ "tenant_id": id.as_str(), "revision": revision }));
    writer.all(tenants::INCREMENT_REVISIONS, &Vec::from_iter(others)).await?;
    let resumed_until = writer.transaction.revoke(&commit.revoked, *now).await?;
    writer.tenants(rows, deleted).await?;
    writer.clients(rows, deleted, commit.live_api_keys).await?;
    writer.accounts(rows, deleted).await?;
    // Deletions and changes come before inserts, because both can free a name for a new application.
    writer.all(&deletion("applications"), &deleted.applications).await?;
    writer.all(applications::UPDATE, &rows.applications).await?;
    writer.all(applications::insert(writer.transaction.dialect()), &rows.new_applications).await?;
    writer.keys(rows, deleted).await?;
    writer.metadata(rows).await?;
    writer.deletions(deleted).await?;
    if let Some(answer) = &commit.answer {
        // The commit fails as stale if an unexpired answer with the same key exists.
        writer.each(idempotent_answers::FORGET_OF_TENANT, &[&answer.tenant]).await?;
        writer.insert("idempotent_answers", &[answer]).await?;
    }
    writer.all(audit_records::INSERT, &commit.audit).await?;
    writer.transaction.note_logged(&commit.changed);
    writer.all(&change_log::LOG, &Vec::from_iter(commit.changed.iter().map(log_row))).await?;
    writer.send().await?;
    writer.transaction.commit().await?;
    database.seen.add_commit(&commit.expected);
    Ok(store::CommitOutcome::Committed { generation, resumed_until })
}

impl CommitWriter<'_> {
    async fn tenants(&mut self, rows: &Rows, deleted: &DeletedRows) -> Result<(), Error> {
        let (unreadable, whole): (Vec<_>, Vec<_>) =
            rows.tenants.values().partition(|row| row.tenant.is_unreadable);
        self.all(tenants::UPSERT, &whole).await?;
        self.all(tenants::TAKE_STEP, &unreadable).await?;
        // Frees all released issuers before any issuer is assigned, so that two tenants can swap issuers.
        self.delete("tenant_issuers", &deleted.issuers).await?;
        self.delete("tenant_former_typs", &deleted.issuers).await?;
        let named = || rows.issuers.iter().map(|id| &rows.tenants[id].tenant);
        let issuers: Vec<_> = named().flat_map(tenants::issuer_rows).collect();
        self.all(tenants::INSERT_ISSUERS, &issuers).await?;
        let previous_typs = named().flat_map(|tenant| {
            tenant.access_token.previous_typs.iter().map(|previous| (&tenant.id, previous))
        });
        self.insert("tenant_former_typs", &Vec::from_iter(previous_typs)).await?;
        self.delete("tenant_words", &deleted.search_terms).await?;
        let terms = rows.search_terms.iter().map(|id| (id, &rows.tenants[id].tenant.name));
        let terms: Vec<_> =
            terms.flat_map(|(id, name)| tenants::search_term_rows(id.as_str(), name)).collect();
        self.all(tenants::INSERT_SEARCH_TERMS, &terms).await?;
        for logo in &rows.logos {
            // One statement for each picture, because a picture can be as large as a thousand other rows.
            self.each(logos::INSERT, &[logos::row(logo)]).await?;
        }
        self.each(logos::DELETE, &Vec::from_iter(deleted.logos.iter().map(logos::row))).await?;
        let servers = rows.resource_servers.iter().map(|((tenant, _), row)| (tenant, row));
        self.put("resource_servers", "tenant_id, audience", &Vec::from_iter(servers)).await
    }

    async fn clients(
        &mut self,
        rows: &Rows,
        deleted: &DeletedRows,
        live_api_keys: Option<u64>,
    ) -> Result<(), Error> {
        self.put("clients", "tenant_id, client_id", &Vec::from_iter(rows.clients.values())).await?;
        self.delete("client_names", &deleted.client_names).await?;
        let named = rows.client_names.iter().map(|name| &rows.clients[name].client);
        self.all(clients::INSERT_NAMES, &named.flat_map(clients::name_rows).collect::<Vec<_>>()).await?;
        let [new_secrets, secrets] = [&rows.new_secrets, &rows.secrets].map(|secrets| {
            secrets.iter().map(|((tenant, client, _), row)| ((tenant, client), row)).collect::<Vec<_>>()
        });
        self.insert("client_secrets", &new_secrets).await?;
        self.all(client_secrets::UPDATE, &secrets).await?;
        let (added, changed): (Vec<_>, Vec<_>) = rows.api_keys.values().partition(|row| row.revision == 1);
        self.all(&api_keys::insert(live_api_keys.unwrap_or(i64::MAX as u64)), &added).await?;
        self.all(api_keys::UPDATE, &changed).await
    }

    /// Deletes identifiers before it inserts any, so that an identifier can move from one account to another.
    async fn accounts(&mut self, rows: &Rows, deleted: &DeletedRows) -> Result<(), Error> {
        // Queues the logout notices before the sessions are deleted.
        let ended: Vec<_> = deleted.sessions.iter().map(|row| logouts::ended_row(row, self.now)).collect();
        self.each(logouts::QUEUE_ALL, &ended).await?;
        self.put("accounts", "tenant_id, account_id", &Vec::from_iter(rows.accounts.values())).await?;
        self.delete("account_identifiers", &deleted.identifiers).await?;
        let held = rows.identifiers.iter().flat_map(|account| {
            rows.accounts[account].account.identifiers.iter().map(move |held| (account, held))
        });
        self.insert("account_identifiers", &Vec::from_iter(held)).await?;
        self.all(accounts::SET_PASSWORD, &rows.passwords).await?;
        self.all(mail::INSERT, &rows.mail).await?;
        self.delete("consents", &deleted.accounts).await?;
        self.delete("mail_outbox", &deleted.accounts).await?;
        let single =
            deleted.sessions.iter().filter_map(|(account, session)| Some((account, session.as_ref()?)));
        self.delete("sessions", &Vec::from_iter(single)).await?;
        self.delete("consents", &deleted.consents).await?;
        self.delete("refresh_families", &deleted.consents).await?;
        self.all(accounts::END_AUTHENTICATIONS, &deleted.authentications).await
    }

    async fn keys(&mut self, rows: &Rows, deleted: &DeletedRows) -> Result<(), Error> {
        let added: Vec<_> = rows.first_keys.iter().chain(&rows.keys).collect();
        let mut taken: BTreeMap<&TenantId, (KeyId, KeyId)> = BTreeMap::new();
        for (tenant, key) in &added {
            taken.entry(tenant).or_insert((key.id, key.id)).1 = key.id;
        }
        // The new keys of a tenant have consecutive numbers, so the first and the last number are enough.
        let taken =
            taken.iter().map(|(tenant, (first, last))| signing_keys::taken_row(tenant, *first, *last));
        let destroyed = &deleted.private_keys;
        let private =
            |(tenant, id): &(TenantId, KeyId)| json!({ "tenant_id": tenant.as_str(), "number": id.number() });
        self.all(signing_keys::TAKE_NUMBERS, &Vec::from_iter(taken)).await?;
        self.all(signing_keys::SET_FIRST_THUMBPRINTS, &rows.first_keys).await?;
        self.all(signing_keys::INSERT, &added).await?;
        self.all(signing_keys::SET_TIMES, &rows.key_times).await?;
        self.all(signing_keys::DESTROY, &Vec::from_iter(destroyed.iter().map(private))).await?;
        // A changed tenant or client may have a longer token lifetime now, so its keys must be kept for
        // longer.
        let of_clients = rows.clients.keys().map(|(tenant, _)| tenant);
        let mut concerned: BTreeSet<_> = rows.tenants.keys().chain(of_clients).collect();
        self.each(signing_keys::EXTEND_RETENTION, &Vec::from_iter(&concerned)).await?;
        // Makes the tenant's keys due immediately if a fact that their life cycle depends on has changed. If
        // the commit sets a due time itself, that time applies.
        concerned.extend(added.iter().map(|(tenant, _)| tenant));
        concerned.extend(rows.key_times.iter().map(|(tenant, _)| tenant));
        concerned.extend(destroyed.iter().map(|(tenant, _)| tenant));
        concerned.retain(|tenant| !rows.due.contains_key(tenant));
        self.each(key_schedules::MAKE_DUE, &Vec::from_iter(concerned)).await?;
        let due = rows.due.iter().map(|(tenant, due_at)| key_schedules::due_row(tenant, *due_at));
        self.all(key_schedules::SCHEDULE, &Vec::from_iter(due)).await
    }

    async fn metadata(&mut self, rows: &Rows) -> Result<(), Error> {
        let declared = rows.fingerprints.iter().map(|(tenant, fingerprint)| {
            json!({ "tenant_id": tenant.as_str(), "fingerprint": fingerprint.json() })
        });
        self.all(tenants::SET_FINGERPRINTS, &Vec::from_iter(declared)).await?;
        let tokens = |noted: &store::TenantMetadata| {
            let until = noted.previous_tokens_until?.json();
            Some(json!({ "tenant_id": noted.tenant.as_str(), "earlier_tokens_until": until }))
        };
        let noted = &rows.tenant_metadata;
        self.all(tenants::SET_PREVIOUS_TOKENS, &Vec::from_iter(noted.iter().filter_map(tokens))).await?;
        // Touches no row of a deleted tenant.
        let jwks = |noted: &store::TenantMetadata| {
            let (age, until) = noted.previous_jwks?;
            let (tenant, age, until) = (noted.tenant.as_str(), age.json(), until.json());
            Some(json!({ "tenant_id": tenant, "earlier_jwks_age": age, "earlier_jwks_until": until }))
        };
        self.each(key_schedules::NOTE_PREVIOUS_JWKS, &Vec::from_iter(noted.iter().filter_map(jwks))).await?;
        Ok(())
    }

    async fn deletions(&mut self, deleted: &DeletedRows) -> Result<(), Error> {
        for table in EMPTIED.into_iter().chain(one_time::TABLES.map(|table| table.name)) {
            self.delete(table, &deleted.tenants).await?;
        }
        for table in MARKED {
            let mark = format!(
                "UPDATE {table} SET deleted_at = $2
                  WHERE tenant_id IN (SELECT tenant_id FROM {{given}}) AND deleted_at IS NULL"
            );
            self.each(&mark, &deleted.tenants).await?;
        }
        self.delete("client_secrets", &deleted.clients).await?;
        self.delete("api_keys", &deleted.clients).await
    }

    /// Executes the statement once for each batch of rows. The rows are `{given}`, the time is `$2`.
    async fn each<R: Columns>(&mut self, text: &str, rows: &[R]) -> Result<(), Error> {
        self.add(text, rows, |_| None).await
    }

    async fn add<R: Columns>(
        &mut self,
        text: &str,
        rows: &[R],
        required: impl Fn(u64) -> Option<u64>,
    ) -> Result<(), Error> {
        for batch in rows.chunks(BATCH) {
            let statement = Statement::of_rows(text, batch, self.now);
            self.bytes += statement.bytes();
            self.unsent.push((statement, required(batch.len() as u64)));
            if self.bytes > MESSAGE {
                self.send().await?;
            }
        }
        Ok(())
    }

    /// Executes the collected statements.
    async fn send(&mut self) -> Result<(), Error> {
        self.bytes = 0;
        self.transaction.execute_required(&std::mem::take(&mut self.unsent)).await
    }

    async fn insert<R: Columns>(&mut self, table: &str, rows: &[R]) -> Result<(), Error> {
        self.all(&format!("INSERT INTO {table} ({{names}}) SELECT {{names}} FROM {{given}}"), rows).await
    }

    /// Inserts the rows or updates existing rows. `key` lists the columns of the table's primary key.
    async fn put<R: Columns>(&mut self, table: &str, key: &str, rows: &[R]) -> Result<(), Error> {
        let text = format!(
            "INSERT INTO {table} ({{names}}) SELECT {{names}} FROM {{given}} WHERE TRUE
             ON CONFLICT ({key}) DO UPDATE SET {{updates}}"
        );
        self.all(&text, rows).await
    }

    async fn delete<R: Columns>(&mut self, table: &str, names: &[R]) -> Result<(), Error> {
        self.each(&deletion(table), names).await
    }

    /// Like `each`, but fails if the statement does not touch every row.
    async fn all<R: Columns>(&mut self, text: &str, rows: &[R]) -> Result<(), Error> {
        self.add(text, rows, Some).await
    }
}

fn deletion(table: &str) -> String {
    format!("DELETE FROM {table} WHERE ({{names}}) IN (SELECT {{names}} FROM {{given}})")
}
