//! Tenants of a measurement: declared ones, for which clients can request tokens, and copies of their rows
//! that only fill the store.

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
    declared_with(tenants, clients, |_| String::new())
}

/// The same tenants with more settings of each, as lines.
pub(super) fn declared_with(tenants: u32, clients: u32, settings: impl Fn(u32) -> String) -> String {
    let client = |number| {
        format!(
            "      client-{number}: {{ client_secret: {{ value: {SECRET} }}, audiences: ['https://api.example'], \
             scopes: [read, write] }}\n"
        )
    };
    let clients = (0..clients).map(client).collect::<String>();
    let tenant = |tenant| {
        format!(
            "  declared-{tenant}:\n    strategies: {{ oauth2: {{ enabled: true }} }}\n{}    \
             resource_servers: {{ 'https://api.example': {{ scopes: [read, write] }} }}\n    clients:\n{clients}",
            settings(tenant)
        )
    };
    format!("tenants:\n{}", (0..tenants).map(tenant).collect::<String>())
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
