//! The columns of an account and of its identifiers.

use accounts::{Account, AccountIdentifier, AccountPassword, AccountStatus, Identifier};
use administration::{AccountState, NewPassword, RowLifecycle};
use protocol::Timestamp;
use serde_json::{Map, Value};

use crate::column::Column;
use crate::columns::{Columns, columns, gathered, selected, written};
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

fn status(row: &Row) -> Result<AccountStatus, Error> {
    let serves = RowLifecycle::from_row(row)?.serves();
    Ok(if serves { AccountStatus::Active } else { AccountStatus::Suspended })
}

fn identifiers(row: &Row) -> Result<Vec<AccountIdentifier>, Error> {
    let mut held: Vec<AccountIdentifier> = row.rows("identifiers")?;
    held.sort_by(|left, right| left.identifier.cmp(&right.identifier));
    Ok(held)
}

// Without its identifiers and its password, which are written by statements of their own.
written! { AccountState {} with { account: Account } and lifecycle without ["deletion_due_at"] }

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

written! {
    NewPassword {
        tenant: "tenant_id",
        account: "account_id",
        password: "password_hash",
        declared_digest: "declared_digest",
    }
}
