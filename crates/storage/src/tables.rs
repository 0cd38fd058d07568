//! The tables whose rows a commit writes whole, with their columns, once for both engines.
//!
//! A commit names its columns: a column that only a newer version knows keeps its value. `next_key`, which a request moves without a
//! revision, is not among them, and neither is anything of the tables that have no revision: keys, usage, fetches, leases.

/// A table with the columns that a commit knows.
pub(crate) struct Table {
    pub(crate) name: &'static str,
    pub(crate) key: &'static [&'static str],
    /// Columns that never change after the row was inserted.
    pub(crate) constant: &'static [&'static str],
    pub(crate) columns: &'static [&'static str],
    /// Columns that hold a list.
    pub(crate) lists: &'static [&'static str],
    /// What must hold for a row that exists already.
    pub(crate) condition: Option<&'static str>,
}

/// The revision is the expected one plus 1, and 1 of a new tenant: one that exists already is not overwritten by a new one.
pub(crate) const TENANTS: Table = Table {
    name: "tenants",
    key: &["tenant_id"],
    constant: &["managed_by", "created_at"],
    columns: &[
        "revision",
        "name",
        "updated_at",
        "suspended_at",
        "retired_at",
        "deleted_at",
        "deletion_due_at",
        "keys_published_until",
        "oauth2_enabled",
        "oidc_enabled",
        "stale_if_error",
        "signing_algorithm",
        "rotate_every",
        "publish_before",
        "jwks_max_age",
        "jwks_stale",
        "skew",
        "rsa_bits",
        "hold_activation",
        "access_token_lifetime",
        "access_token_format",
        "access_token_typ",
    ],
    lists: &[],
    condition: Some("tenants.revision = excluded.revision - 1"),
};

pub(crate) const RESOURCE_SERVERS: Table = Table {
    name: "resource_servers",
    key: &["tenant_id", "audience"],
    constant: &["managed_by", "created_at"],
    columns: &["updated_at", "retired_at", "deleted_at", "scopes"],
    lists: &["introspection_clients"],
    condition: None,
};

pub(crate) const CLIENTS: Table = Table {
    name: "clients",
    key: &["tenant_id", "client_id"],
    constant: &["managed_by", "created_at"],
    columns: &[
        "name",
        "updated_at",
        "suspended_at",
        "retired_at",
        "deleted_at",
        "authentication_method",
        "scopes",
        "access_token_lifetime",
        "issuer",
        "introspection",
    ],
    lists: &["grant_types", "audiences", "resources"],
    condition: None,
};

impl Table {
    /// Inserts the rows that `source` gives, or updates those that exist. `column` reads a column of the source; it is told whether that
    /// holds a list.
    pub(crate) fn upsert(&self, source: &str, column: impl Fn(&str, bool) -> String) -> String {
        let Self { name, key, constant, columns, lists, condition } = self;
        let all = || key.iter().chain(*constant).chain(*columns).chain(*lists).copied();
        let names: Vec<&str> = all().collect();
        let values: Vec<String> = all().map(|name| column(name, lists.contains(&name))).collect();
        let updated = columns.iter().chain(*lists).map(|name| format!("{name} = excluded.{name}"));
        let updated: Vec<String> = updated.collect();
        let condition = condition.map_or(String::new(), |condition| format!(" WHERE {condition}"));
        format!(
            "INSERT INTO {name} ({}) SELECT {} FROM {source} ON CONFLICT ({}) DO UPDATE SET {}{condition}",
            names.join(", "),
            values.join(", "),
            key.join(", "),
            updated.join(", "),
        )
    }
}
