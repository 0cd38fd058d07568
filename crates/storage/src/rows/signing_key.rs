//! A signing key's row and how it becomes a record.

use keys::KeyRecord;
use tenancy::StoreError;

use crate::column::{key_id, parse, timestamp};

row! {
#[derive(Debug)]
pub(crate) struct SigningKeyRow {
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
