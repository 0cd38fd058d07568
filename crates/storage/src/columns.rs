//! The columns of a struct, listed once for reading and writing.

use accounts::AccountId;
use administration::ApplicationId;
use registry::ClientId;
use serde::Serialize;
use serde_json::{Map, Value, json};
use sessions::SessionId;
use tenancy::TenantId;

use crate::column::ColumnValue;

/// The type of the column `settings` of a table: a text that is a JSON object. In an existing row, a commit
/// replaces the members that it has and keeps the members that only a newer version knows.
pub(crate) const DOCUMENT: &str = "document";

/// The members of a row's document: all fields, also empty ones, except those in other columns.
pub(crate) fn document(row: &impl Serialize, elsewhere: &[&str]) -> Map<String, Value> {
    let Value::Object(mut members) = json!(row) else { return Map::new() };
    members.retain(|name, _| !elsewhere.contains(&name.as_str()));
    members
}

/// The columns that a commit writes into a row.
pub(crate) trait Columns {
    /// The name and the type of each column.
    fn columns() -> Vec<(&'static str, &'static str)>;

    fn write(&self, row: &mut Map<String, Value>);
}

/// Implements [`Columns`] and [`FromRow`](crate::row::FromRow) for a struct: each field with its column,
/// `with` fields that have columns themselves, and `else` fields that are read from the row in another way.
macro_rules! columns {
    (
        $type:ty { $($field:ident: $column:literal),+ $(,)? }
        $(with { $($nested:ident: $nested_type:ty),+ $(,)? })?
        $(else |$row:ident| { $($rest:ident: $value:expr),+ $(,)? })?
    ) => {
        crate::columns::written! {
            $type { $($field: $column),+ }
            $(with { $($nested: $nested_type),+ })?
        }

        impl crate::row::FromRow for $type {
            fn selection(table: &str) -> String {
                crate::columns::selected(&<Self as crate::columns::Columns>::columns(), table)
            }

            fn from_row(row: &crate::row::DatabaseRow) -> Result<Self, crate::error::Error> {
                $(let $row = row;)?
                Ok(Self {
                    $($field: crate::column::ColumnValue::read(row, $column)?,)+
                    $($($nested: crate::row::FromRow::from_row(row)?,)+)?
                    $($($rest: $value,)+)?
                })
            }
        }
    };
}

/// Implements [`Columns`] alone, like [`columns`]. It is for a struct whose settings are a document, with
/// `settings`, and for a struct with a lifecycle whose table lacks some of the columns.
macro_rules! written {
    (
        $type:ty { $($($field:ident).+: $column:literal),* $(,)? }
        $(with { $($nested:ident: $nested_type:ty),+ $(,)? })?
        $(and $lifecycle:ident without [$($absent:literal),+])?
        $(settings $document:expr)?
    ) => {
        impl crate::columns::Columns for $type {
            fn columns() -> Vec<(&'static str, &'static str)> {
                [
                    vec![$(($column, crate::columns::type_of(|row: &Self| &row.$($field).+))),*],
                    $($(<$nested_type as crate::columns::Columns>::columns(),)+)?
                    $(crate::columns::of_document($document),)?
                    $(crate::rows::lifecycle_without(&[$($absent),+]),)?
                ]
                .concat()
            }

            fn write(&self, row: &mut serde_json::Map<String, serde_json::Value>) {
                $(row.insert($column.to_owned(), crate::column::ColumnValue::json(&self.$($field).+));)*
                $($(crate::columns::Columns::write(&self.$nested, row);)+)?
                $(row.insert("settings".to_owned(), $document(self).into());)?
                $(crate::columns::Columns::write(&self.$lifecycle, row);)?
            }
        }
    };
}

pub(crate) use {columns, written};

pub(crate) const fn type_of<R, C: ColumnValue>(_field: fn(&R) -> &C) -> &'static str {
    C::TYPE
}

/// The column of a document, which this makes.
pub(crate) fn of_document<R>(_document: fn(&R) -> Map<String, Value>) -> Vec<(&'static str, &'static str)> {
    vec![("settings", DOCUMENT)]
}

/// The columns of the table with this alias.
pub(crate) fn selected(columns: &[(&str, &str)], table: &str) -> String {
    columns.iter().map(|(name, _)| format!("{table}.{name}")).collect::<Vec<_>>().join(", ")
}

/// The rows of another table, collected into one column.
pub(crate) fn gathered<R: Columns>(table: &str, condition: &str, order: &str) -> String {
    let members = R::columns().into_iter().map(|(name, kind)| match kind {
        "bytea" => format!("'{name}', NULLIF({{hex({table}.{name})}}, '')"),
        "text[]" => format!("'{name}', {{json}}({table}.{name})"),
        _ => format!("'{name}', {table}.{name}"),
    });
    let members = members.collect::<Vec<_>>().join(", ");
    gathered_as(&format!("{{object}}({members})"), table, condition, order)
}

/// One value of each row of another table, collected into one column.
pub(crate) fn gathered_as(value: &str, table: &str, condition: &str, order: &str) -> String {
    format!(
        "COALESCE((SELECT CAST({{array}}({value} ORDER BY {order}) AS text) FROM {table} WHERE {condition}), '[]')"
    )
}

/// The row in JSON.
pub(crate) fn row<R: Columns>(row: R) -> Value {
    let mut members = Map::new();
    row.write(&mut members);
    Value::Object(members)
}

/// The rows as one JSON array, which a statement reads as `{given}`.
pub(crate) fn given<R: Columns>(rows: &[R]) -> String {
    Value::Array(rows.iter().map(row).collect()).to_string()
}

/// Implements [`Columns`] for names of rows: each is a column of every table that has it.
macro_rules! names {
    ($($type:ty: $column:literal),+ $(,)?) => {$(
        impl Columns for $type {
            fn columns() -> Vec<(&'static str, &'static str)> {
                vec![($column, Self::TYPE)]
            }

            fn write(&self, row: &mut Map<String, Value>) {
                row.insert($column.to_owned(), self.json());
            }
        }
    )+};
}

names!(
    TenantId: "tenant_id", ClientId: "client_id", AccountId: "account_id", SessionId: "session_id",
    ApplicationId: "application_id",
);

impl<T: Columns> Columns for &T {
    fn columns() -> Vec<(&'static str, &'static str)> {
        T::columns()
    }

    fn write(&self, row: &mut Map<String, Value>) {
        T::write(self, row);
    }
}

/// No columns.
impl Columns for () {
    fn columns() -> Vec<(&'static str, &'static str)> {
        Vec::new()
    }

    fn write(&self, _: &mut Map<String, Value>) {}
}

/// The columns of both.
impl<A: Columns, B: Columns> Columns for (A, B) {
    fn columns() -> Vec<(&'static str, &'static str)> {
        [A::columns(), B::columns()].concat()
    }

    fn write(&self, row: &mut Map<String, Value>) {
        self.0.write(row);
        self.1.write(row);
    }
}

/// A row of which the statement names the columns.
impl Columns for Value {
    fn columns() -> Vec<(&'static str, &'static str)> {
        Vec::new()
    }

    fn write(&self, row: &mut Map<String, Value>) {
        if let Self::Object(members) = self {
            row.extend(members.clone());
        }
    }
}
