//! A signing key's row, beside the counter of its tenant, and how it becomes a record.

use keys::{KeyId, KeyRecord, KeyRecords};
use tenancy::StoreError;

use crate::column::{key_id, parse, timestamp};
use crate::row::{FromRow, Row};

row! {
#[derive(Debug)]
struct SigningKeyRow {
    number: i64,
    algorithm: String,
    sealed_private_key: Vec<u8>,
    thumbprint: String,
    announced_at: i64,
    active_from: i64,
    retiring_from: Option<i64>,
    removed_at: Option<i64>,
}
}

impl TryFrom<SigningKeyRow> for KeyRecord {
    type Error = StoreError;

    fn try_from(row: SigningKeyRow) -> Result<Self, Self::Error> {
        Ok(Self {
            id: key_id(row.number)?,
            algorithm: parse("algorithm", &row.algorithm)?,
            sealed_private_key: row.sealed_private_key,
            thumbprint: row.thumbprint,
            announced_at: timestamp(row.announced_at),
            active_from: timestamp(row.active_from),
            retiring_from: row.retiring_from.map(timestamp),
            removed_at: row.removed_at.map(timestamp),
        })
    }
}

/// The tenant's counter, and a key if it has one.
#[derive(Debug)]
pub(crate) struct CountedKeyRow {
    next_key: i64,
    key: Option<SigningKeyRow>,
}

impl FromRow for CountedKeyRow {
    fn from_row(row: &Row) -> Result<Self, sqlx::Error> {
        let number: Option<i64> = row.get("number")?;
        let key = number.map(|_| SigningKeyRow::from_row(row)).transpose()?;
        Ok(Self { next_key: row.get("next_key")?, key })
    }
}

/// All of one tenant; none of a tenant that does not exist.
pub(crate) fn key_records(rows: Vec<CountedKeyRow>) -> Result<KeyRecords, StoreError> {
    let next = rows.first().map_or(Ok(KeyId::numbered(1)), |row| key_id(row.next_key))?;
    let keys = rows.into_iter().filter_map(|row| row.key).map(KeyRecord::try_from);
    Ok(KeyRecords { next, keys: keys.collect::<Result<_, _>>()? })
}
