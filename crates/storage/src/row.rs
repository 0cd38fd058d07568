//! A row of either engine, and how a value is read from it.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{Column as _, Decode, Postgres, Row as _, Sqlite, Type, ValueRef as _};

use crate::error::Error;

/// A row of either engine, or a row that a statement has collected into a column of another row.
pub(crate) enum DatabaseRow {
    Sqlite(SqliteRow),
    Postgres(PgRow),
    Gathered(Map<String, Value>),
}

/// A type that both engines and JSON know.
pub(crate) trait Plain:
    for<'r> Decode<'r, Sqlite> + Type<Sqlite> + for<'r> Decode<'r, Postgres> + Type<Postgres> + DeserializeOwned
{
}

impl<T> Plain for T where
    T: for<'r> Decode<'r, Sqlite>
        + Type<Sqlite>
        + for<'r> Decode<'r, Postgres>
        + Type<Postgres>
        + DeserializeOwned
{
}

/// A type that is read from a row.
pub(crate) trait FromRow: Sized {
    /// The columns to read, of the table with this alias: they replace `{columns(…)}` in a statement. A
    /// statement names the columns, because PostgreSQL refuses a prepared `*` after a migration added one.
    fn selection(_table: &str) -> String {
        String::new()
    }

    fn from_row(row: &DatabaseRow) -> Result<Self, Error>;
}

impl DatabaseRow {
    pub(crate) fn get<T: Plain>(&self, column: &str) -> Result<T, Error> {
        match self {
            Self::Sqlite(row) => Ok(row.try_get(column)?),
            Self::Postgres(row) => Ok(row.try_get(column)?),
            Self::Gathered(row) => member(row, column),
        }
    }

    pub(crate) fn texts(&self, column: &str) -> Result<Vec<String>, Error> {
        match self {
            Self::Sqlite(_) => self.json(column),
            Self::Postgres(row) => Ok(row.try_get(column)?),
            Self::Gathered(row) => member(row, column),
        }
    }

    pub(crate) fn bytes(&self, column: &str) -> Result<Vec<u8>, Error> {
        let Self::Gathered(_) = self else { return self.get(column) };
        let digits: String = self.get(column)?;
        let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
        let bytes: Option<_> = digits.as_bytes().chunks(2).map(byte).collect();
        bytes.ok_or_else(|| Error::unreadable(column, "not hexadecimal digits"))
    }

    /// The values that a query has collected into one column.
    pub(crate) fn json<T: DeserializeOwned>(&self, column: &str) -> Result<T, Error> {
        let text: String = self.get(column)?;
        serde_json::from_str(&text).map_err(|cause| Error::unreadable(column, cause))
    }

    /// The rows of another table that [`gathered`](crate::columns::gathered) has put into this column.
    pub(crate) fn rows<R: FromRow>(&self, column: &str) -> Result<Vec<R>, Error> {
        let rows: Vec<Map<String, Value>> = self.json(column)?;
        rows.into_iter().map(|row| R::from_row(&Self::Gathered(row))).collect()
    }

    /// If the table lacks a column of a lifecycle, the value is null.
    pub(crate) fn is_null(&self, column: &str) -> Result<bool, Error> {
        let is_null = match self {
            Self::Sqlite(row) => row.try_get_raw(column).map(|value| value.is_null()),
            Self::Postgres(row) => row.try_get_raw(column).map(|value| value.is_null()),
            Self::Gathered(row) => Ok(row.get(column).is_none_or(Value::is_null)),
        };
        match is_null {
            Err(sqlx::Error::ColumnNotFound(_)) => Ok(true),
            found => Ok(found?),
        }
    }

    /// The name of the column at this place.
    pub(crate) fn name(&self, place: usize) -> Result<&str, Error> {
        match self {
            Self::Sqlite(row) => Ok(row.try_column(place)?.name()),
            Self::Postgres(row) => Ok(row.try_column(place)?.name()),
            Self::Gathered(_) => Err(sqlx::Error::ColumnIndexOutOfBounds { index: place, len: 0 }.into()),
        }
    }
}

fn member<T: DeserializeOwned>(row: &Map<String, Value>, column: &str) -> Result<T, Error> {
    T::deserialize(row.get(column).unwrap_or(&Value::Null)).map_err(|cause| Error::unreadable(column, cause))
}

pub(crate) fn decoded<R: FromRow>(rows: &[DatabaseRow]) -> Result<Vec<R>, Error> {
    rows.iter().map(R::from_row).collect()
}

pub(crate) fn scalar<T>(row: Option<(T,)>) -> Option<T> {
    row.map(|(value,)| value)
}
