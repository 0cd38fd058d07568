//! The tables that are copied, as the catalog of each engine describes them, and their rows as JSON that is
//! the same in both.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::error::Error;
use crate::statement::{Dialect, Statement};
use crate::store_copy::session::CopySession;
use tenancy::TenantId;

/// The tables that are not copied: the schema's own, those about running programs of one store, and one that
/// triggers of the target fill.
const LEFT: [&str; 6] =
    ["_sqlx_migrations", "store_marks", "store_history", "change_log", "leases", "federated_subjects"];
/// The columns that a trigger sets, whose values belong to one store.
const LEFT_COLUMNS: [(&str, &str); 1] = [("revocations", "changed_in")];
/// Lists of texts, which SQLite knows as text.
const LISTS: [(&str, &str); 8] = [
    ("accounts", "group_names"),
    ("api_keys", "audiences"),
    ("api_keys", "labels"),
    ("consents", "hosts"),
    ("consents", "scopes"),
    ("generations", "left_out"),
    ("resource_servers", "introspection_clients"),
    ("sessions", "amr"),
];
/// Tables to which others refer, in the order in which rows are written.
const FIRST: [&str; 5] = ["tenants", "clients", "client_secrets", "accounts", "api_keys"];

const SQLITE_COLUMNS: &str = "
    SELECT t.name AS of_table, c.name AS column_name, lower(c.type) AS kind, c.pk AS place
      FROM sqlite_schema t JOIN pragma_table_info(t.name) c
     WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite%'";
const POSTGRES_COLUMNS: &str = "
    SELECT c.relname::text AS of_table, a.attname::text AS column_name, format_type(a.atttypid, NULL) AS kind,
           COALESCE(array_position(i.indkey::smallint[], a.attnum), -1)::bigint + 1 AS place
      FROM pg_class c
      JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
      LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
     WHERE c.oid IN (SELECT latchkey_tables(false))";

/// How a column is read and written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ColumnKind {
    Text,
    /// Truth is 0 or 1.
    Integer,
    Truth,
    /// Hexadecimal digits.
    Bytes,
    Texts,
}

/// A table.
#[derive(Clone, Debug)]
pub(super) struct CopiedTable {
    pub(super) name: String,
    columns: Vec<(String, ColumnKind)>,
    key: Vec<String>,
}

/// The tables of a store, those first to which others refer.
pub(super) async fn tables(session: &mut CopySession) -> Result<Vec<CopiedTable>, Error> {
    let columns = columns(session.dialect());
    tables_of(session.all(columns).await?)
}

/// Reads the columns of all tables.
pub(super) fn columns(dialect: Dialect) -> Statement {
    Statement::from_text(match dialect {
        Dialect::Sqlite => SQLITE_COLUMNS,
        Dialect::Postgres => POSTGRES_COLUMNS,
    })
}

/// The tables of these columns.
pub(super) fn tables_of(mut rows: Vec<(String, String, String, i64)>) -> Result<Vec<CopiedTable>, Error> {
    let mut tables = BTreeMap::<String, CopiedTable>::new();
    rows.sort();
    for (name, column, kind, place) in rows {
        let is_left = LEFT_COLUMNS.contains(&(&*name, &*column));
        if LEFT.contains(&&*name) || is_left {
            continue;
        }
        let kind = match &*kind {
            _ if LISTS.contains(&(&*name, &*column)) => ColumnKind::Texts,
            "text" => ColumnKind::Text,
            "integer" | "bigint" => ColumnKind::Integer,
            "boolean" => ColumnKind::Truth,
            "blob" | "bytea" => ColumnKind::Bytes,
            other => return Err(Error::unreadable(&column, format!("{other} is an unknown type"))),
        };
        let table = tables.entry(name.clone()).or_insert(CopiedTable { name, columns: vec![], key: vec![] });
        if place > 0 {
            table.key.push(column.clone());
        }
        table.columns.push((column, kind));
    }
    let mut tables: Vec<_> = tables.into_values().collect();
    tables.sort_by_key(|table| FIRST.iter().position(|first| *first == table.name).unwrap_or(FIRST.len()));
    Ok(tables)
}

impl CopiedTable {
    /// The properties that the tables of both engines share: a boolean of PostgreSQL is a number of SQLite.
    pub(super) fn shape(&self) -> (&str, Vec<(&str, ColumnKind)>, &[String]) {
        let columns = self.columns.iter().map(|(name, kind)| match kind {
            ColumnKind::Truth => (name.as_str(), ColumnKind::Integer),
            kind => (name.as_str(), *kind),
        });
        (&self.name, columns.collect(), &self.key)
    }

    /// Whether each row belongs to one tenant.
    pub(super) fn is_of_tenants(&self) -> bool {
        self.has("tenant_id")
    }

    fn has(&self, column: &str) -> bool {
        self.columns.iter().any(|(name, _)| name == column)
    }

    /// Does not write a column.
    pub(super) fn leave(&mut self, column: &str) {
        self.columns.retain(|(name, _)| name != column);
    }

    /// All rows, each as one JSON object.
    pub(super) fn selection(&self, dialect: Dialect) -> String {
        self.selection_from(dialect, &self.name)
    }

    /// The rows of one tenant, in their order if they have one. A tenant's id consists of letters, digits and
    /// hyphens, so it needs no quoting.
    pub(super) fn selection_of(&self, dialect: Dialect, tenant: &TenantId) -> String {
        let order = if self.has("position") { " ORDER BY position" } else { "" };
        let rows = format!("(SELECT * FROM {} WHERE tenant_id = '{tenant}'{order}) AS t", self.name);
        self.selection_from(dialect, &rows)
    }

    fn selection_from(&self, dialect: Dialect, table: &str) -> String {
        let read = |(name, kind): &(String, ColumnKind)| match (dialect, kind) {
            (Dialect::Sqlite, ColumnKind::Bytes) => {
                format!("'{name}', CASE WHEN {name} IS NOT NULL THEN lower(hex({name})) END")
            }
            (Dialect::Sqlite, ColumnKind::Texts) => format!("'{name}', json({name})"),
            (Dialect::Sqlite, _) => format!("'{name}', {name}"),
            (Dialect::Postgres, ColumnKind::Bytes) => format!("encode({name}, 'hex') AS {name}"),
            (Dialect::Postgres, ColumnKind::Truth) => format!("{name}::integer AS {name}"),
            (Dialect::Postgres, _) => name.clone(),
        };
        let columns = self.columns.iter().map(read).collect::<Vec<_>>().join(", ");
        match dialect {
            Dialect::Sqlite => format!("SELECT json_object({columns}) FROM {table}"),
            Dialect::Postgres => {
                format!("SELECT row_to_json(r)::text FROM (SELECT {columns} FROM {table}) r")
            }
        }
    }

    /// Writes these rows, in place of those that have their keys.
    pub(super) fn insertion(&self, dialect: Dialect, rows: &[String]) -> Statement {
        let names = self.columns.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ");
        // The place of an application is given once, by the engine.
        let updated = self.columns.iter().map(|(name, _)| name).filter(|name| {
            !self.key.contains(name) && (self.name.as_str(), name.as_str()) != ("applications", "position")
        });
        let updates = updated.map(|name| format!("{name} = excluded.{name}")).collect::<Vec<_>>().join(", ");
        let action = if updates.is_empty() { "NOTHING".to_owned() } else { format!("UPDATE SET {updates}") };
        let numbered = if dialect == Dialect::Postgres { "OVERRIDING SYSTEM VALUE" } else { "" };
        Statement::from_text(format!(
            "INSERT INTO {} ({names}) {numbered} SELECT {names} FROM {} WHERE TRUE
                 ON CONFLICT ({}) DO {action}",
            self.name,
            self.given(|_| true),
            self.key.join(", "),
        ))
        .bind(array(rows))
    }

    /// Deletes the rows that have the keys of these.
    pub(super) fn deletion(&self, rows: &[String]) -> Statement {
        let key = self.key.join(", ");
        let given = self.given(|name| self.key.iter().any(|of_key| of_key == name));
        Statement::from_text(format!(
            "DELETE FROM {} WHERE ({key}) IN (SELECT {key} FROM {given})",
            self.name
        ))
        .bind(array(rows))
    }

    fn given(&self, which: impl Fn(&str) -> bool) -> String {
        let typed = |(name, kind): &(String, ColumnKind)| {
            let kind = match kind {
                ColumnKind::Text => "text",
                ColumnKind::Integer => "bigint",
                ColumnKind::Truth => "boolean",
                ColumnKind::Bytes => "bytea",
                ColumnKind::Texts => "text[]",
            };
            format!("{name} {kind}")
        };
        let columns = self.columns.iter().filter(|(name, _)| which(name)).map(typed);
        format!("{{given({})}}", columns.collect::<Vec<_>>().join(", "))
    }

    /// The key of a row, as text.
    pub(super) fn key_of(&self, row: &Map<String, Value>) -> String {
        let key: Vec<_> = self.key.iter().map(|name| row.get(name).unwrap_or(&Value::Null)).collect();
        serde_json::to_string(&key).unwrap_or_default()
    }
}

fn array(rows: &[String]) -> String {
    format!("[{}]", rows.join(","))
}
