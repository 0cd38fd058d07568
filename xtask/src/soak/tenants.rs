//! Tenants of a measurement: declared ones, for which clients can request tokens, and copies of their rows
//! that only fill the store.

use std::fmt::Write as _;

/// Has the shape of a generated secret, so that verifying it costs an HMAC. All clients share
/// it; each has its own hash.
pub(super) const SECRET: &str = "lk_soakmeasurementsoakmeasurementsoakmeasureme2oNbne";

/// The client that requests tokens.
pub(super) struct Client {
    pub(super) tenant: String,
    pub(super) id: String,
}

/// A client of a declared tenant.
pub(super) fn client(tenant: u32, number: u32) -> Client {
    Client { tenant: format!("declared-{tenant}"), id: format!("client-{number}") }
}

/// The part of the settings that declares these tenants with their clients.
pub(super) fn declared(tenants: u32, clients: u32) -> String {
    let mut text = "tenants:\n".to_owned();
    for tenant in 0..tenants {
        let written = write!(
            text,
            "  declared-{tenant}:\n    strategies: {{ oauth2: {{ enabled: true }} }}\n    \
             resource_servers: {{ 'https://api.example': {{ scopes: [read, write] }} }}\n    clients:\n"
        );
        written.expect("a text takes any length");
        for number in 0..clients {
            let written = writeln!(
                text,
                "      client-{number}: {{ client_secret: {{ value: {SECRET} }}, audiences: ['https://api.example'], \
                 scopes: [read, write] }}"
            );
            written.expect("a text takes any length");
        }
    }
    text
}

/// Copies every row of the first declared tenant to tenants with these numbers. The copies cannot be used:
/// hashes and sealed keys are bound to the original's ids.
pub(super) fn fill(first: u32, last: u32) -> String {
    format!(
        "SET session_replication_role = replica;
DO $$
DECLARE
    copied text;
    columns text;
BEGIN
    FOREACH copied IN ARRAY ARRAY['tenants', 'tenant_issuers', 'resource_servers', 'clients', 'client_secrets', 'signing_keys'] LOOP
        SELECT string_agg(CASE
                WHEN attname = 'tenant_id' THEN '''filler-'' || filler'
                WHEN attname = 'managed_by' THEN '''api'''
                WHEN copied = 'tenants' AND attname = 'name' THEN '''Filler '' || filler'
                WHEN copied = 'tenant_issuers' AND attname = 'issuer' THEN 'issuer || ''/filler-'' || filler'
                ELSE quote_ident(attname) END, ', ' ORDER BY attnum)
          INTO columns FROM pg_attribute
         WHERE attrelid = copied::regclass AND attnum > 0 AND NOT attisdropped;
        EXECUTE format('INSERT INTO %I SELECT %s FROM %I, generate_series({first}, {last}) AS filler
                         WHERE tenant_id = ''declared-0''', copied, columns, copied);
    END LOOP;
END
$$;
INSERT INTO tenant_words (tenant_id, word) SELECT 'filler-' || filler, word
  FROM generate_series({first}, {last}) AS filler, LATERAL (VALUES ('filler'), (filler::text)) AS of (word);
ANALYZE;"
    )
}

/// The counterpart for SQLite, as a Python program with the file and the two numbers as arguments, since
/// Python includes SQLite.
pub(super) const FILL_SQLITE: &str = r#"
import sqlite3, sys

path, first, last = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
store = sqlite3.connect(path, isolation_level=None)
fillers = f'filler(n) AS (VALUES ({first}) UNION ALL SELECT n + 1 FROM filler WHERE n < {last})'
store.execute('BEGIN')
for table in ['tenants', 'tenant_issuers', 'resource_servers', 'clients', 'client_secrets', 'signing_keys',
              'client_names']:
    def value(column):
        if column == 'tenant_id':
            return "'filler-' || n"
        if column == 'managed_by':
            return "'api'"
        if (table, column) == ('tenants', 'name'):
            return "'Filler ' || n"
        if (table, column) == ('tenant_issuers', 'issuer'):
            return "issuer || '/filler-' || n"
        if (table, column) == ('signing_keys', 'thumbprint'):
            return "thumbprint || n"
        return f'"{column}"'
    columns = [row[1] for row in store.execute(f'PRAGMA table_info({table})')]
    names = ', '.join(f'"{column}"' for column in columns)
    values = ', '.join(map(value, columns))
    store.execute(f"INSERT INTO {table} ({names}) WITH RECURSIVE {fillers} "
                  f"SELECT {values} FROM {table}, filler WHERE tenant_id = 'declared-0'")
for word in ["'filler'", 'CAST(n AS TEXT)']:
    store.execute(f"INSERT INTO tenant_words (tenant_id, word) WITH RECURSIVE {fillers} "
                  f"SELECT 'filler-' || n, {word} FROM filler")
store.execute('COMMIT')
store.execute('ANALYZE')
"#;
