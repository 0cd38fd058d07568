//! Writes the rows of a tenant from another installation in one transaction.

use data_encoding::HEXLOWER;
use keys::KeySealer;
use serde_json::{Map, Value};
use tenancy::TenantId;

use crate::database::Database;
use crate::statement::{Dialect, Statement};
use crate::store_copy::moved_rows::{MoveError, PrivateKey, moves, unusable};
use crate::store_copy::tables::{CopiedTable, columns, tables_of};
use crate::store_copy::{CopyError, CopyStep};
use crate::transaction::{Transaction, TransactionPurpose};

/// Columns that come from a file's declaration. The files stay with the previous installation.
const OF_DECLARATION: [&str; 5] =
    ["fingerprint", "declared_digest", "declared_expires_at", "deletion_due_at", "rotation_due_at"];
/// The number of rows in one statement.
const ROWS: usize = 500;

pub(super) struct Arrival<'d> {
    pub(super) transaction: Transaction<'d>,
    tenant: &'d TenantId,
    tell: &'d (dyn Fn(CopyStep) + Sync),
    dialect: Dialect,
    tables: Vec<CopiedTable>,
    /// The index of the table whose rows are being written.
    open: Option<usize>,
    batch: Vec<String>,
    /// The number of rows written to the current table, and in total.
    pub(super) rows: [u64; 2],
}

impl<'d> Arrival<'d> {
    pub(super) async fn begin(
        database: &'d Database,
        tenant: &'d TenantId,
        tell: &'d (dyn Fn(CopyStep) + Sync),
    ) -> Result<Self, MoveError> {
        let dialect = database.dialect();
        let mut tables = tables_of(database.read(columns(dialect)).await?)?;
        tables.retain(CopiedTable::is_of_tenants);
        let mut transaction = database.begin(TransactionPurpose::Writes).await?;
        // Deletes the tenant's previous rows, because a tenant can be moved back. The tenant's own row stays,
        // because thumbprints refer to it.
        let replaced = |table: &&CopiedTable| !["tenants", "key_thumbprints"].contains(&&*table.name);
        for table in tables.iter().rev().filter(replaced) {
            let delete = format!("DELETE FROM {} WHERE tenant_id = $1", table.name);
            transaction.execute(&Statement::from_text(delete).bind(tenant.as_str())).await?;
        }
        tables.retain(moves);
        if dialect == Dialect::Postgres {
            // The engine numbers applications itself, so their position is not copied.
            tables
                .iter_mut()
                .filter(|table| table.name == "applications")
                .for_each(|table| table.leave("position"));
        }
        Ok(Self { transaction, tenant, tell, dialect, tables, open: None, batch: Vec::new(), rows: [0; 2] })
    }

    pub(super) async fn open(&mut self, name: &str) -> Result<(), MoveError> {
        self.flush().await?;
        let place = self.tables.iter().position(|table| table.name == name);
        self.open =
            Some(place.ok_or_else(|| unusable("it contains a table that this program does not know"))?);
        self.rows[0] = 0;
        Ok(())
    }

    pub(super) async fn row(
        &mut self,
        row: Map<String, Value>,
        sealer: &dyn KeySealer,
    ) -> Result<(), MoveError> {
        let place = self.open.ok_or_else(|| unusable("a row belongs to no table"))?;
        self.batch.push(
            Value::Object(arrived(&self.tables[place].name, row, self.tenant, sealer).await?).to_string(),
        );
        self.rows = self.rows.map(|rows| rows + 1);
        if self.batch.len() == ROWS { self.flush().await } else { Ok(()) }
    }

    pub(super) async fn flush(&mut self) -> Result<(), MoveError> {
        let Some(place) = self.open.filter(|_| !self.batch.is_empty()) else { return Ok(()) };
        let table = &self.tables[place];
        match self.transaction.execute(&table.insertion(self.dialect, &self.batch)).await {
            // The keys of these rows contain the tenant's id. So a conflict can only be with a value that is
            // unique across tenants.
            Err(error) if error.is_stale() => return Err(MoveError::Taken(self.tenant.clone())),
            written => drop(written.map_err(CopyError::from_table(&table.name))?),
        }
        self.batch.clear();
        (self.tell)(CopyStep::Copying {
            table: &table.name,
            place,
            of: self.tables.len(),
            rows: self.rows[0],
        });
        Ok(())
    }
}

/// Adapts a row to this installation: the row is managed by the API, because no file of this installation
/// declares it, and private keys are sealed with this installation's key.
async fn arrived(
    table: &str,
    mut row: Map<String, Value>,
    tenant: &TenantId,
    sealer: &dyn KeySealer,
) -> Result<Map<String, Value>, MoveError> {
    if row.get("tenant_id").and_then(Value::as_str) != Some(tenant.as_str()) {
        return Err(unusable("it contains a row of another tenant"));
    }
    let mut set = |name: &str, value: Value| {
        if let Some(member) = row.get_mut(name) {
            *member = value;
        }
    };
    set("managed_by", "api".into());
    // The author of the file may know the passwords, so they do not count as set by the person.
    set("password_own_at", Value::Null);
    for name in OF_DECLARATION {
        set(name, Value::Null);
    }
    match table {
        "tenants" => {
            // Triggers count the clients while they are written.
            set("client_count", 0.into());
            set("retired_at", Value::Null);
        }
        "signing_keys" => {
            let key = PrivateKey::new(tenant, &row)?;
            if !key.bytes.is_empty() {
                let sealed = sealer.seal(&key.context(), &key.bytes).await?;
                row.insert("sealed_private_key".to_owned(), HEXLOWER.encode(&sealed).into());
            }
        }
        _ => {}
    }
    Ok(row)
}
