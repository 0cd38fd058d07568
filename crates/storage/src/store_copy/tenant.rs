//! Moves the rows of one tenant to another installation as lines of JSON. The first line is [`TenantFacts`];
//! `["table",NAME]` precedes the rows of a table. The lines contain private keys in plain text, so the
//! command encrypts them for the recipient.

use std::io::{BufRead, Write};

use administration::audit::AuditRecord;
use administration::declaration::judged_rows::judge_rows;
use administration::kinds::Invalidation;
use administration::rules::TenantContext;
use administration::store::SealedItems;
use data_encoding::HEXLOWER;
use futures_util::TryStreamExt as _;
use keys::KeySealer;
use secrets::DigestKey;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tenancy::TenantId;
use values::Timestamp;
use zeroize::Zeroizing;

use crate::audit_records;
use crate::database::Database;
use crate::error::Error;
use crate::migrations::known;
use crate::statement::Statement;
use crate::store_copy::arrival::Arrival;
use crate::store_copy::copy::open_source;
use crate::store_copy::judged;
use crate::store_copy::moved_rows::{MoveError, PrivateKey, moves, unusable};
use crate::store_copy::session::StorePlace;
use crate::store_copy::tables::{CopiedTable, tables};
use crate::store_copy::{CopyError, CopyStep};
use crate::transaction::{Transaction, TransactionPurpose};

/// The first line of an export.
#[derive(Clone, derive_more::Debug, Serialize, Deserialize)]
pub struct TenantFacts {
    /// The schema version of the store.
    pub schema: i64,
    pub tenant: TenantId,
    pub store: String,
    /// When the rows were read.
    pub at: Timestamp,
    /// Whether the tenant was active before the export. If so, the import activates it.
    pub was_active: bool,
    /// The key of the tenant's digests, in hexadecimal digits.
    #[debug(skip)]
    key: String,
}

/// Writes the rows of one snapshot. The caller must have suspended the tenant before, so that no row changes
/// afterwards.
///
/// # Errors
/// [`MoveError`].
pub async fn export_tenant(
    from: &StorePlace,
    facts: &TenantFacts,
    sealer: &dyn KeySealer,
    out: &mut (dyn Write + Send),
    tell: &(dyn Fn(CopyStep) + Sync),
) -> Result<u64, MoveError> {
    let mut source = open_source(from).await?;
    let tables: Vec<_> = tables(&mut source).await?.into_iter().filter(moves).collect();
    source.begin_snapshot().await?;
    write_line(out, &json!(facts))?;
    let mut all = 0;
    for (place, table) in tables.iter().enumerate() {
        write_line(out, &json!(["table", table.name]))?;
        let mut rows: u64 = 0;
        let mut found = source.texts(table.selection_of(source.dialect(), &facts.tenant));
        while let Some(raw) = found.try_next().await.map_err(CopyError::from_table(&table.name))? {
            let mut row = parsed(table, &raw)?;
            if has_pairwise_subjects(&row) {
                return Err(MoveError::Pairwise(facts.tenant.clone()));
            }
            if table.name == "signing_keys" {
                let key = PrivateKey::new(&facts.tenant, &row)?;
                if !key.bytes.is_empty() {
                    let opened = sealer.unseal(&key.context(), &key.bytes).await?;
                    row.insert("sealed_private_key".to_owned(), HEXLOWER.encode(&opened).into());
                }
            }
            write_line(out, &Value::Object(row))?;
            rows += 1;
        }
        drop(found);
        tell(CopyStep::Copying { table: &table.name, place, of: tables.len(), rows });
        if table.name == "tenants" && rows == 0 {
            return Err(MoveError::Unknown(facts.tenant.clone()));
        }
        all += rows;
    }
    Ok(all)
}

impl TenantFacts {
    #[must_use]
    pub fn digest_key(&self) -> Option<DigestKey> {
        Some(Zeroizing::new(HEXLOWER.decode(self.key.as_bytes()).ok()?.try_into().ok()?))
    }
}

impl Database {
    /// The facts for the export of a tenant of this store.
    #[must_use]
    pub fn tenant_facts(
        &self,
        tenant: &TenantId,
        key: &DigestKey,
        was_active: bool,
        at: Timestamp,
    ) -> TenantFacts {
        let schema = known(&crate::sqlite::MIGRATOR);
        TenantFacts {
            schema,
            tenant: tenant.clone(),
            store: self.place(),
            at,
            was_active,
            key: HEXLOWER.encode(&**key),
        }
    }

    /// Suspends an active tenant before its export. Does not revoke tokens, because they stay valid at the
    /// other installation. The tenant's keys are published until `until`.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn suspend_for_export(&self, record: &AuditRecord, until: Timestamp) -> Result<(), MoveError> {
        const SUSPEND: &str = "
            UPDATE tenants SET suspended_at = $2, keys_published_until = $3, updated_at = $2, revision = revision + 1
             WHERE tenant_id = $1 AND suspended_at IS NULL AND deleted_at IS NULL";
        let mut transaction = self.begin(TransactionPurpose::CommitOf(&record.tenant)).await?;
        let suspend =
            Statement::from_text(SUSPEND).bind(record.tenant.as_str()).bind(record.at.0).bind(until);
        transaction.execute(&suspend).await?;
        end_step(transaction, record).await
    }

    /// Activates a tenant again after a failed export.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn serve_again(&self, record: &AuditRecord) -> Result<(), MoveError> {
        let mut transaction = self.begin(TransactionPurpose::CommitOf(&record.tenant)).await?;
        transaction.execute(&serve(record)).await?;
        end_step(transaction, record).await
    }

    /// Reads the first line and checks that the tenant can be imported: either no such tenant exists, or the
    /// existing tenant is suspended and may be replaced.
    ///
    /// # Errors
    /// [`MoveError`].
    pub async fn check_import(
        &self,
        lines: &mut impl BufRead,
        replace: bool,
    ) -> Result<TenantFacts, MoveError> {
        const STATE: &str = "
            SELECT deleted_at IS NOT NULL AS is_deleted, suspended_at IS NOT NULL AS is_suspended FROM tenants WHERE tenant_id = $1";
        let mut first = String::new();
        lines.read_line(&mut first).map_err(CopyError::from)?;
        let facts: TenantFacts =
            serde_json::from_str(&first).map_err(|_| unusable("the beginning is missing"))?;
        let known = known(&crate::sqlite::MIGRATOR);
        if facts.schema != known {
            let text = format!(
                "it has schema {}, but this program has schema {known}; both installations need the same version",
                facts.schema
            );
            return Err(unusable(text));
        }
        let tenant = facts.tenant.clone();
        if tenant == TenantId::platform() {
            return Err(unusable("you cannot move the operators' tenant to another installation"));
        }
        match self.first::<(bool, bool)>(Statement::from_text(STATE).bind(tenant.as_str())).await? {
            Some((true, _)) => Err(MoveError::Deleted(tenant)),
            Some((_, false)) => Err(MoveError::Serves(tenant)),
            Some(_) if !replace => Err(MoveError::IsThere(tenant)),
            _ => Ok(facts),
        }
    }

    /// Stores the sealed key of the tenant's digests from the file. Does nothing if the tenant uses the key
    /// of its installation.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn keep_tenant_key(
        &self,
        tenant: &TenantId,
        sealed: Option<&[u8]>,
        now: Timestamp,
    ) -> Result<(), MoveError> {
        const FORGET: &str = "DELETE FROM sealed_values WHERE name = $1";
        let name = administration::store::tenant_key_name(tenant);
        self.write(Statement::from_text(FORGET).bind(name.as_str())).await?;
        if let Some(sealed) = sealed {
            self.put_sealed_if_absent(&name, sealed, now).await.map_err(CopyError::Store)?;
        }
        Ok(())
    }

    /// Writes the rows after the first line, all or none. Fails if a rule for new rows refuses a row.
    /// Activates the tenant if it was active before its export.
    ///
    /// # Errors
    /// [`MoveError`].
    pub async fn import_tenant(
        &self,
        facts: &TenantFacts,
        lines: impl BufRead,
        sealer: &dyn KeySealer,
        record: &AuditRecord,
        context: TenantContext<'_>,
        tell: &(dyn Fn(CopyStep) + Sync),
    ) -> Result<u64, MoveError> {
        // Identifiers that must be used only once may have been used at the other installation since the
        // export.
        const RESTORED: &str = "UPDATE tenants SET restored_at = $2 WHERE tenant_id = $1";
        let mut arrival = Arrival::begin(self, &facts.tenant, tell).await?;
        for line in lines.lines() {
            match serde_json::from_str(&line.map_err(CopyError::from)?) {
                Ok(Value::Array(name)) => {
                    arrival.open(name.get(1).and_then(Value::as_str).unwrap_or_default()).await?;
                }
                Ok(Value::Object(row)) => arrival.row(row, sealer).await?,
                _ => return Err(unusable("a line does not belong to a tenant")),
            }
        }
        arrival.flush().await?;
        let restored = Statement::from_text(RESTORED).bind(facts.tenant.as_str()).bind(record.at.0);
        arrival.transaction.execute(&restored).await?;
        let loaded =
            judged::load(&mut arrival.transaction, &facts.tenant).await.map_err(|error| {
                match error.of_row() {
                    Some(why) => unusable(why),
                    None => error.into(),
                }
            })?;
        let state = loaded.ok_or_else(|| unusable("it has no row of the tenant"))?;
        let misfits = judge_rows(&state, context, record.at.0);
        if !misfits.is_empty() {
            return Err(MoveError::Misfits(facts.tenant.clone(), misfits));
        }
        if facts.was_active {
            arrival.transaction.execute(&serve(record)).await?;
        }
        end_step(arrival.transaction, record).await?;
        Ok(arrival.rows[1])
    }
}

fn serve(record: &AuditRecord) -> Statement {
    const SERVE: &str = "
        UPDATE tenants SET suspended_at = NULL, keys_published_until = NULL, updated_at = $2, revision = revision + 1
         WHERE tenant_id = $1";
    Statement::from_text(SERVE).bind(record.tenant.as_str()).bind(record.at.0)
}

/// Writes the audit record of a step of the move, notifies the servers and commits.
async fn end_step(mut transaction: Transaction<'_>, record: &AuditRecord) -> Result<(), MoveError> {
    let changed = [Invalidation::Tenant, Invalidation::Keys, Invalidation::Revocations];
    let changed = changed.map(|of| of(record.tenant.clone()));
    transaction.write(audit_records::INSERT, std::slice::from_ref(record), record.at.0).await?;
    transaction.log(&changed, record.at.0).await?;
    Ok(transaction.commit().await?)
}

/// Whether the row is of a tenant or client with pairwise subjects.
fn has_pairwise_subjects(row: &Map<String, Value>) -> bool {
    let settings =
        row.get("settings").and_then(Value::as_str).and_then(|text| serde_json::from_str(text).ok());
    settings.is_some_and(|settings: Value| {
        [&settings["subject"], &settings["code_flow"]["subject_type"]].contains(&&Value::from("pairwise"))
    })
}

fn parsed(table: &CopiedTable, raw: &str) -> Result<Map<String, Value>, CopyError> {
    serde_json::from_str(raw)
        .map_err(|cause| CopyError::from_table(&table.name)(Error::unreadable(&table.name, cause)))
}

fn write_line(out: &mut (dyn Write + Send), line: &Value) -> Result<(), CopyError> {
    Ok(writeln!(out, "{line}")?)
}
