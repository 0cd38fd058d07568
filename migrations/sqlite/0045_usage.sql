-- What happened in a day, by hour. A row without a client is of the whole tenant. Days are counted from 1970-01-01 UTC. A slot is the day's
-- place in a ring of 400 days for tenants and of 35 for clients: a new day takes the row of the day that left the ring.
CREATE TABLE usage_days (
    tenant_id TEXT NOT NULL,
    client_id TEXT NOT NULL,
    counter   TEXT NOT NULL,
    -- The reason of refusals, and the scope that was asked for; empty for other counters.
    name      TEXT NOT NULL,
    slot      INTEGER NOT NULL,
    day       INTEGER NOT NULL,
    total     INTEGER NOT NULL,
    h00 INTEGER NOT NULL, h01 INTEGER NOT NULL, h02 INTEGER NOT NULL, h03 INTEGER NOT NULL,
    h04 INTEGER NOT NULL, h05 INTEGER NOT NULL, h06 INTEGER NOT NULL, h07 INTEGER NOT NULL,
    h08 INTEGER NOT NULL, h09 INTEGER NOT NULL, h10 INTEGER NOT NULL, h11 INTEGER NOT NULL,
    h12 INTEGER NOT NULL, h13 INTEGER NOT NULL, h14 INTEGER NOT NULL, h15 INTEGER NOT NULL,
    h16 INTEGER NOT NULL, h17 INTEGER NOT NULL, h18 INTEGER NOT NULL, h19 INTEGER NOT NULL,
    h20 INTEGER NOT NULL, h21 INTEGER NOT NULL, h22 INTEGER NOT NULL, h23 INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, client_id, counter, name, slot)
) STRICT, WITHOUT ROWID;

CREATE INDEX usage_of_tenants ON usage_days (day) WHERE client_id = '';

-- The last batch that each replica has added.
CREATE TABLE usage_batches (
    replica  TEXT NOT NULL PRIMARY KEY,
    number   INTEGER NOT NULL,
    added_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The last refused requests of each tenant.
CREATE TABLE refusals (
    tenant_id   TEXT NOT NULL,
    at          INTEGER NOT NULL,
    request_id  TEXT NOT NULL,
    route       TEXT NOT NULL,
    status      INTEGER NOT NULL,
    error       TEXT NOT NULL,
    reason      TEXT NOT NULL,
    client_id   TEXT,
    is_proven   INTEGER NOT NULL,
    auth_method TEXT NOT NULL,
    scope       TEXT NOT NULL,
    source      TEXT NOT NULL,
    PRIMARY KEY (tenant_id, at, request_id)
) STRICT, WITHOUT ROWID;

-- A reported credential is looked for by what is public of it.
CREATE INDEX client_secrets_by_hint ON client_secrets (hint) WHERE hint <> '';
CREATE INDEX api_keys_by_name ON api_keys (api_key_id);
