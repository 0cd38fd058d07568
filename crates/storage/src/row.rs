//! Rows of either engine, and reading values from them.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use sqlx::postgres::{PgRow, PgValueFormat};
use sqlx::sqlite::SqliteRow;
use sqlx::{Column as _, Decode, Postgres, Row as _, Sqlite, Type, ValueRef as _};

use crate::error::Error;

/// A row of either engine, or a row that was collected as JSON into a column of another row.
pub(crate) enum DatabaseRow {
    Sqlite(SqliteRow),
    Postgres(PgRow),
    Gathered(Map<String, Value>),
}

/// A type that can be read from both engines and from JSON.
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

pub(crate) trait FromRow: Sized {
    /// The columns to read, qualified with the table's alias. They replace `{columns(…)}` in a statement. A
    /// statement lists its columns instead of `*`, because PostgreSQL refuses a prepared `*` after a
    /// migration has added a column.
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
            // sqlx reads the text "NULL" as no text, if the server sends arrays as text. No array holds an
            // SQL NULL.
            Self::Postgres(row) if row.try_get_raw(column)?.format() == PgValueFormat::Text => {
                let texts: Vec<Option<String>> = row.try_get(column)?;
                Ok(texts.into_iter().map(|text| text.unwrap_or_else(|| "NULL".to_owned())).collect())
            }
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

    /// Reads a value from a column that contains JSON.
    pub(crate) fn json<T: DeserializeOwned>(&self, column: &str) -> Result<T, Error> {
        let text: String = self.get(column)?;
        serde_json::from_str(&text).map_err(|cause| Error::unreadable(column, cause))
    }

    /// Reads the rows that [`gathered`](crate::columns::gathered) has collected into the column.
    pub(crate) fn rows<R: FromRow>(&self, column: &str) -> Result<Vec<R>, Error> {
        let rows: Vec<Map<String, Value>> = self.json(column)?;
        rows.into_iter().map(|row| R::from_row(&Self::Gathered(row))).collect()
    }

    /// Also `true` if the table lacks the column, as some tables lack columns of the lifecycle.
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

    /// The name of the column at this index.
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
