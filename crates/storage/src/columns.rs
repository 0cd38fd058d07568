//! Macros that list a struct's columns once for reading and writing.

use accounts::AccountId;
use administration::documents::application::ApplicationId;
use registry::ClientId;
use serde::Serialize;
use serde_json::{Map, Value, json};
use sessions::SessionId;
use tenancy::TenantId;

use crate::column::ColumnValue;

/// The type of the `settings` columns: text that contains a JSON object. When a commit updates a row, it
/// replaces the members that it has and keeps all others, because a newer version may have written them.
pub(crate) const DOCUMENT: &str = "document";

/// All fields as JSON members, except the fields that have their own columns (`elsewhere`). Empty fields are
/// included.
pub(crate) fn document(row: &impl Serialize, elsewhere: &[&str]) -> Map<String, Value> {
    let Value::Object(mut members) = json!(row) else { return Map::new() };
    members.retain(|name, _| !elsewhere.contains(&name.as_str()));
    members
}

pub(crate) trait Columns {
    fn columns() -> Vec<(&'static str, &'static str)>;

    fn write(&self, row: &mut Map<String, Value>);
}

/// The column of a field: the given one, or the column with the field's name.
macro_rules! column_of {
    ($field:ident) => {
        stringify!($field)
    };
    ($($field:ident).+: $column:literal) => {
        $column
    };
}

/// Implements [`Columns`] and [`FromRow`](crate::row::FromRow) for a struct. Each field is listed, with its
/// column if the column has another name. `with` lists fields that have several columns themselves. `else`
/// lists fields that are read from the row in another way.
macro_rules! columns {
    (
        $type:ty { $($field:ident $(: $column:literal)?),+ $(,)? }
        $(with { $($nested:ident: $nested_type:ty),+ $(,)? })?
        $(else |$row:ident| { $($rest:ident: $value:expr),+ $(,)? })?
    ) => {
        crate::columns::written! {
            $type { $($field $(: $column)?),+ }
            $(with { $($nested: $nested_type),+ })?
        }

        impl crate::row::FromRow for $type {
            fn selection(table: &str) -> String {
                crate::columns::selected(&<Self as crate::columns::Columns>::columns(), table)
            }

            fn from_row(row: &crate::row::DatabaseRow) -> Result<Self, crate::error::Error> {
                $(let $row = row;)?
                Ok(Self {
                    $($field: crate::column::ColumnValue::read(
                        row,
                        crate::columns::column_of!($field $(: $column)?),
                    )?,)+
                    $($($nested: crate::row::FromRow::from_row(row)?,)+)?
                    $($($rest: $value,)+)?
                })
            }
        }
    };
}

/// Implements only [`Columns`], in the syntax of [`columns`]. It is for structs with a `settings` document,
/// and for structs whose table lacks some of the lifecycle columns.
macro_rules! written {
    (
        $type:ty { $($($field:ident).+ $(: $column:literal)?),* $(,)? }
        $(with { $($nested:ident: $nested_type:ty),+ $(,)? })?
        $(and $lifecycle:ident without [$($absent:literal),+])?
        $(settings $document:expr)?
    ) => {
        impl crate::columns::Columns for $type {
            fn columns() -> Vec<(&'static str, &'static str)> {
                [
                    vec![$((
                        crate::columns::column_of!($($field).+ $(: $column)?),
                        crate::columns::type_of(|row: &Self| &row.$($field).+),
                    )),*],
                    $($(<$nested_type as crate::columns::Columns>::columns(),)+)?
                    $(crate::columns::of_document($document),)?
                    $(crate::rows::lifecycle_without(&[$($absent),+]),)?
                ]
                .concat()
            }

            fn write(&self, row: &mut serde_json::Map<String, serde_json::Value>) {
                $(row.insert(
                    crate::columns::column_of!($($field).+ $(: $column)?).to_owned(),
                    crate::column::ColumnValue::json(&self.$($field).+),
                );)*
                $($(crate::columns::Columns::write(&self.$nested, row);)+)?
                $(row.insert("settings".to_owned(), $document(self).into());)?
                $(crate::columns::Columns::write(&self.$lifecycle, row);)?
            }
        }
    };
}

pub(crate) use {column_of, columns, written};

pub(crate) const fn type_of<R, C: ColumnValue>(_field: fn(&R) -> &C) -> &'static str {
    C::TYPE
}

pub(crate) fn of_document<R>(_document: fn(&R) -> Map<String, Value>) -> Vec<(&'static str, &'static str)> {
    vec![("settings", DOCUMENT)]
}

/// The columns as an SQL list, each qualified with the table alias.
pub(crate) fn selected(columns: &[(&str, &str)], table: &str) -> String {
    columns.iter().map(|(name, _)| format!("{table}.{name}")).collect::<Vec<_>>().join(", ")
}

/// SQL that collects the rows of another table into one JSON column.
pub(crate) fn gathered<R: Columns>(table: &str, condition: &str, order: &str) -> String {
    let members = R::columns().into_iter().map(|(name, kind)| match kind {
        "bytea" => format!("'{name}', NULLIF({{hex({table}.{name})}}, '')"),
        "text[]" => format!("'{name}', {{json}}({table}.{name})"),
        _ => format!("'{name}', {table}.{name}"),
    });
    let members = members.collect::<Vec<_>>().join(", ");
    gathered_as(&format!("{{object}}({members})"), table, condition, order)
}

/// SQL that collects one value of each row of another table into one JSON column.
pub(crate) fn gathered_as(value: &str, table: &str, condition: &str, order: &str) -> String {
    format!(
        "COALESCE((SELECT CAST({{array}}({value} ORDER BY {order}) AS text) FROM {table} WHERE {condition}), '[]')"
    )
}

pub(crate) fn row<R: Columns>(row: R) -> Value {
    let mut members = Map::new();
    row.write(&mut members);
    Value::Object(members)
}

/// The rows as a JSON array, which statements read as `{given}`.
pub(crate) fn given<R: Columns>(rows: &[R]) -> String {
    Value::Array(rows.iter().map(row).collect()).to_string()
}

/// Implements [`Columns`] for ids. Each id has the same column name in every table.
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

impl Columns for () {
    fn columns() -> Vec<(&'static str, &'static str)> {
        Vec::new()
    }

    fn write(&self, _: &mut Map<String, Value>) {}
}

impl<A: Columns, B: Columns> Columns for (A, B) {
    fn columns() -> Vec<(&'static str, &'static str)> {
        [A::columns(), B::columns()].concat()
    }

    fn write(&self, row: &mut Map<String, Value>) {
        self.0.write(row);
        self.1.write(row);
    }
}

/// Lists no columns. The statements for such rows name the columns in their SQL.
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
