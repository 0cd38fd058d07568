//! Between columns and values. A column that holds what no version of the program could have written is a fault of the store.

use std::fmt::{Debug, Display};
use std::str::FromStr;

use administration::{Fingerprint, ManagedBy};
use keys::KeyId;
use protocol::{Lifetime, Timestamp};
use registry::ClientId;
use serde::de::DeserializeOwned;
use tenancy::{StoreError, TenantId};

/// A column could not be read.
#[derive(Debug, thiserror::Error)]
#[error("column {column} cannot be read: {cause}")]
struct Unreadable {
    column: &'static str,
    cause: String,
}

pub(crate) fn unreadable(column: &'static str, cause: impl Display) -> StoreError {
    StoreError::fault(Unreadable { column, cause: cause.to_string() })
}

pub(crate) fn parse<T: FromStr<Err: Display>>(column: &'static str, text: &str) -> Result<T, StoreError> {
    text.parse().map_err(|cause| unreadable(column, cause))
}

/// Whether a column can hold this text. PostgreSQL refuses NUL.
pub(crate) fn is_text(text: &str) -> bool {
    !text.contains('\0')
}

/// A list or a group of rows that the query has gathered into one column.
pub(crate) fn json<T: DeserializeOwned>(column: &'static str, text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|cause| unreadable(column, cause))
}

/// One of a closed set of names.
pub(crate) fn named<T: Copy + Debug>(
    column: &'static str,
    all: &[T],
    name: impl Fn(T) -> &'static str,
    text: &str,
) -> Result<T, StoreError> {
    let found = all.iter().copied().find(|value| name(*value) == text);
    found.ok_or_else(|| unreadable(column, format_args!("unknown name {text:?}")))
}

pub(crate) fn managed_by(text: &str) -> Result<ManagedBy, StoreError> {
    named("managed_by", &[ManagedBy::Config, ManagedBy::Api], ManagedBy::as_str, text)
}

pub(crate) fn tenant_id(text: &str) -> Result<TenantId, StoreError> {
    TenantId::parse(text).map_err(|cause| unreadable("tenant_id", cause))
}

pub(crate) fn client_id(text: &str) -> Result<ClientId, StoreError> {
    ClientId::parse(text).map_err(|cause| unreadable("client_id", cause))
}

pub(crate) fn bytes32(column: &'static str, bytes: &[u8]) -> Result<[u8; 32], StoreError> {
    bytes.try_into().map_err(|cause| unreadable(column, cause))
}

/// The integers of both engines are signed; no instant or span is negative.
pub(crate) fn timestamp(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(seconds.max(0).unsigned_abs())
}

pub(crate) fn lifetime(seconds: i64) -> Lifetime {
    Lifetime::from_seconds(seconds.max(0).unsigned_abs())
}

pub(crate) fn key_id(number: i64) -> Result<KeyId, StoreError> {
    number.try_into().map(KeyId::numbered).map_err(|cause| unreadable("number", cause))
}

pub(crate) fn fingerprint(bytes: &[u8]) -> Result<Fingerprint, StoreError> {
    bytes32("fingerprint", bytes).map(Fingerprint::from_bytes)
}
