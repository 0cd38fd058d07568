//! The statement that writes whole rows of a table as a commit decided them.
//!
//! A commit names its columns: a column that only a newer version knows keeps its value. What other writers move without a revision is
//! not among them: `next_key`, which a request moves, and everything of the tables that have no revision (keys, usage, fetches, leases).

/// A table with the columns that a commit knows, each with its type.
pub(crate) struct Table {
    pub(crate) name: &'static str,
    pub(crate) key: &'static str,
    /// Columns that never change after the row was inserted.
    pub(crate) constant: &'static str,
    pub(crate) columns: &'static str,
    /// What must hold for a row that exists already.
    pub(crate) condition: &'static str,
}

impl Table {
    /// Inserts the given rows, or updates those that exist.
    pub(crate) fn upsert(&self) -> String {
        let Self { name, key, constant, columns, condition } = self;
        let typed = format!("{key}, {constant}, {columns}");
        let all = names(&typed).join(", ");
        let key = names(key).join(", ");
        let updated: Vec<String> =
            names(columns).iter().map(|column| format!("{column} = excluded.{column}")).collect();
        format!(
            "INSERT INTO {name} ({all}) SELECT {all} FROM {{given({typed})}} WHERE TRUE
             ON CONFLICT ({key}) DO UPDATE SET {} WHERE {condition}",
            updated.join(", "),
        )
    }
}

fn names(columns: &str) -> Vec<&str> {
    columns.split(',').filter_map(|column| column.split_whitespace().next()).collect()
}
