//! The columns of a signing key.

use keys::life_cycle::KeyTimes;
use keys::{KeyId, KeyRecord, ShownTimes};
use serde_json::{Map, Value};
use values::Lifetime;

use crate::column::ColumnValue;
use crate::columns::{Columns, columns};
use crate::error::Error;
use crate::row::{DatabaseRow, FromRow};

columns! {
    KeyRecord {
        algorithm, sealed_private_key, thumbprint, public_jwk, announced_at, active_from,
        retiring_from, removed_at,
    }
    with {
        id: KeyId,
        shown: ShownTimes,
    }
}

columns! {
    KeyTimes { id: "number", active_from, retiring_from, removed_at }
    with {
        shown: ShownTimes,
    }
}

columns! {
    ShownTimes {
        announced_at: "shown_announced_at",
        active_from: "shown_active_from",
        retiring_from: "shown_retiring_from",
        removed_at: "shown_removed_at",
    }
}

/// Keys that are named by their number have no `kid`.
impl Columns for KeyId {
    fn columns() -> Vec<(&'static str, &'static str)> {
        vec![("number", Self::TYPE), ("kid", String::TYPE)]
    }

    fn write(&self, row: &mut Map<String, Value>) {
        row.insert("number".to_owned(), self.json());
        row.insert("kid".to_owned(), self.to_store().into());
    }
}

impl FromRow for KeyId {
    fn from_row(row: &DatabaseRow) -> Result<Self, Error> {
        let kid = Option::<String>::read(row, "kid")?;
        Self::stored(u32::read(row, "number")?, kid.as_deref())
            .ok_or_else(|| Error::unreadable("kid", "not a kid"))
    }
}

/// The tenant's next key number and the age of JWKS copies, with a key if the tenant has one.
impl FromRow for (KeyId, Lifetime, Option<KeyRecord>) {
    fn selection(table: &str) -> String {
        KeyRecord::selection(table)
    }

    fn from_row(row: &DatabaseRow) -> Result<Self, Error> {
        let key = if row.is_null("number")? { None } else { Some(KeyRecord::from_row(row)?) };
        Ok((KeyId::read(row, "next_key")?, Lifetime::read(row, "copies_kept")?, key))
    }
}
