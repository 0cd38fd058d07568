//! A signing key's row and how it becomes a record.

use keys::{KeyId, KeyRecord};
use sqlx::FromRow;
use tenancy::StoreError;

use crate::sqlite::column::{parse, timestamp, unreadable};

#[derive(Debug, FromRow)]
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

pub(crate) fn key_id(number: i64) -> Result<KeyId, StoreError> {
    number.try_into().map(KeyId::numbered).map_err(|cause| unreadable("number", cause))
}
