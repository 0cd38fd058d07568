//! The counter of a tenant beside each of its keys.

use keys::{KeyId, KeyRecord, KeyRecords};
use sqlx::postgres::PgRow;
use sqlx::{FromRow, Row};
use tenancy::StoreError;

use crate::column::key_id;
use crate::rows::SigningKeyRow;

/// The tenant's counter, and a key if it has one.
#[derive(Debug)]
pub(crate) struct CountedKeyRow {
    pub(crate) next_key: i64,
    pub(crate) key: Option<SigningKeyRow>,
}

impl<'r> FromRow<'r, PgRow> for CountedKeyRow {
    fn from_row(row: &'r PgRow) -> Result<Self, sqlx::Error> {
        let number: Option<i64> = row.try_get("number")?;
        let key = number.map(|_| SigningKeyRow::from_row(row)).transpose()?;
        Ok(Self { next_key: row.try_get("next_key")?, key })
    }
}

/// All of one tenant; none of a tenant that is not there.
pub(crate) fn records(rows: Vec<CountedKeyRow>) -> Result<KeyRecords, StoreError> {
    let next = rows.first().map_or(Ok(KeyId::numbered(1)), |row| key_id(row.next_key))?;
    let keys = rows.into_iter().filter_map(|row| row.key).map(KeyRecord::try_from);
    Ok(KeyRecords { next, keys: keys.collect::<Result<_, _>>()? })
}
