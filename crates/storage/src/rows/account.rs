//! The columns of an account and of its identifiers.

use accounts::{Account, AccountId, AccountIdentifier, AccountPassword, AccountStatus, Identifier};
use administration::{AccountState, NewPassword, RowLifecycle};
use protocol::Timestamp;
use serde_json::{Map, Value, json};
use tenancy::TenantId;

use super::lifecycle::lifecycle_without;
use crate::column::Column;
use crate::columns::{Columns, columns, gathered, selected};
use crate::error::Error;
use crate::row::{FromRow, Row};

columns! {
    Account {
        tenant: "tenant_id",
        id: "account_id",
        external_id: "external_id",
        claims: "claims",
        groups: "group_names",
        valid_from: "valid_from",
    }
    else |row| {
        status: status(row)?,
        identifiers: identifiers(row)?,
        password_changed_at: Column::read(row, "password_changed_at")?,
        updated_at: Column::read(row, "updated_at")?,
    }
}

/// An identifier of an account of this tenant.
pub(crate) struct IdentifierRow<'a> {
    pub(crate) tenant: &'a TenantId,
    pub(crate) account: &'a AccountId,
    pub(crate) held: &'a AccountIdentifier,
}

fn status(row: &Row) -> Result<AccountStatus, Error> {
    let serves = RowLifecycle::from_row(row)?.serves();
    Ok(if serves { AccountStatus::Active } else { AccountStatus::Suspended })
}

fn identifiers(row: &Row) -> Result<Vec<AccountIdentifier>, Error> {
    let mut held: Vec<AccountIdentifier> = row.rows("identifiers")?;
    held.sort_by(|left, right| left.identifier.cmp(&right.identifier));
    Ok(held)
}

/// Without its identifiers and its password, which are written by statements of their own.
impl Columns for AccountState {
    fn columns() -> Vec<(&'static str, &'static str)> {
        [Account::columns(), lifecycle_without(&["deletion_due_at"])].concat()
    }

    fn write(&self, row: &mut Map<String, Value>) {
        self.account.write(row);
        self.lifecycle.write(row);
    }
}

/// With its identifiers.
impl FromRow for AccountState {
    fn selection(table: &str) -> String {
        let of_account = format!(
            "account_identifiers.tenant_id = {table}.tenant_id AND account_identifiers.account_id = {table}.account_id"
        );
        let identifiers = gathered::<AccountIdentifier>("account_identifiers", &of_account, "kind, value");
        let columns = selected(&Self::columns(), table);
        format!(
            "{columns}, {table}.password_changed_at, {table}.declared_digest, {identifiers} AS identifiers"
        )
    }

    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            account: Account::from_row(row)?,
            lifecycle: RowLifecycle::from_row(row)?,
            declared_digest: Column::read(row, "declared_digest")?,
        })
    }
}

/// With its password.
impl FromRow for (AccountState, Option<AccountPassword>) {
    fn selection(table: &str) -> String {
        format!("{}, {table}.password_hash", AccountState::selection(table))
    }

    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok((AccountState::from_row(row)?, Column::read(row, "password_hash")?))
    }
}

impl Columns for AccountIdentifier {
    fn columns() -> Vec<(&'static str, &'static str)> {
        vec![
            ("kind", String::TYPE),
            ("value", String::TYPE),
            ("verified_at", <Option<Timestamp> as Column>::TYPE),
        ]
    }

    fn write(&self, row: &mut Map<String, Value>) {
        row.insert("kind".to_owned(), self.identifier.kind().into());
        row.insert("value".to_owned(), self.identifier.as_str().into());
        row.insert("verified_at".to_owned(), self.verified_at.json());
    }
}

/// The text decides the kind.
impl FromRow for AccountIdentifier {
    fn from_row(row: &Row) -> Result<Self, Error> {
        let value: String = row.get("value")?;
        let identifier = Identifier::parse(&value).map_err(|cause| Error::unreadable("value", cause))?;
        Ok(Self { identifier, verified_at: Column::read(row, "verified_at")? })
    }
}

impl Columns for IdentifierRow<'_> {
    fn columns() -> Vec<(&'static str, &'static str)> {
        [AccountIdentifier::columns(), TenantId::columns(), AccountId::columns()].concat()
    }

    fn write(&self, row: &mut Map<String, Value>) {
        self.held.write(row);
        self.tenant.write(row);
        self.account.write(row);
    }
}

impl Columns for AccountId {
    fn columns() -> Vec<(&'static str, &'static str)> {
        vec![("account_id", Self::TYPE)]
    }

    fn write(&self, row: &mut Map<String, Value>) {
        row.insert("account_id".to_owned(), self.json());
    }
}

impl Columns for NewPassword {
    fn columns() -> Vec<(&'static str, &'static str)> {
        vec![
            ("tenant_id", TenantId::TYPE),
            ("account_id", AccountId::TYPE),
            ("password_hash", AccountPassword::TYPE),
            ("declared_digest", <[u8; 32]>::TYPE),
        ]
    }

    fn write(&self, row: &mut Map<String, Value>) {
        let Self { tenant, account, password, declared_digest } = self;
        row.extend([
            ("tenant_id".to_owned(), json!(tenant)),
            ("account_id".to_owned(), json!(account)),
            ("password_hash".to_owned(), password.json()),
            ("declared_digest".to_owned(), declared_digest.json()),
        ]);
    }
}
