-- API keys of clients. A key is found by its public name in its tenant.
CREATE TABLE api_keys (
    tenant_id   TEXT NOT NULL,
    api_key_id  TEXT NOT NULL,
    client_id   TEXT NOT NULL,
    hash        TEXT NOT NULL,
    hint        TEXT NOT NULL,
    name        TEXT NOT NULL,
    labels      TEXT NOT NULL,
    owner       TEXT,
    scopes      TEXT NOT NULL,
    audiences   TEXT NOT NULL,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL,
    revoked_at  INTEGER,
    replaced_by TEXT,
    -- Each change increments it. The revision of the tenant guards no key.
    revision    INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, api_key_id),
    FOREIGN KEY (tenant_id, client_id) REFERENCES clients (tenant_id, client_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX api_keys_in_order ON api_keys (tenant_id, created_at, api_key_id);
CREATE INDEX api_keys_of_client ON api_keys (tenant_id, client_id, created_at, api_key_id);
CREATE INDEX api_keys_of_owner ON api_keys (tenant_id, owner, created_at, api_key_id) WHERE owner IS NOT NULL;
CREATE INDEX live_api_keys ON api_keys (tenant_id, client_id, expires_at) WHERE revoked_at IS NULL;
CREATE INDEX api_keys_that_end ON api_keys (expires_at);
CREATE INDEX revoked_api_keys ON api_keys (revoked_at) WHERE revoked_at IS NOT NULL;

CREATE TABLE api_key_uses (
    tenant_id    TEXT NOT NULL,
    api_key_id   TEXT NOT NULL,
    address      TEXT NOT NULL,
    last_used_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, api_key_id, address),
    FOREIGN KEY (tenant_id, api_key_id) REFERENCES api_keys (tenant_id, api_key_id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- The log of changes has one more kind, with an id of its own. SQLite changes no check, so the table is made anew; its counter goes on.
CREATE TABLE new_change_log (
    position   INTEGER PRIMARY KEY AUTOINCREMENT,
    kind       TEXT    NOT NULL CHECK (kind IN ('tenant', 'client', 'keys', 'revocations', 'account', 'api_key')),
    tenant_id  TEXT    NOT NULL,
    client_id  TEXT,
    account_id TEXT,
    api_key_id TEXT,
    changed_at INTEGER NOT NULL
) STRICT;

INSERT INTO new_change_log (position, kind, tenant_id, client_id, account_id, changed_at)
SELECT position, kind, tenant_id, client_id, account_id, changed_at FROM change_log;

-- The counter is beyond the rows where old ones were removed, also where none is left.
INSERT INTO sqlite_sequence (name, seq)
SELECT 'new_change_log', 0 WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'new_change_log');
UPDATE sqlite_sequence SET seq = COALESCE((SELECT seq FROM sqlite_sequence WHERE name = 'change_log'), 0)
 WHERE name = 'new_change_log';

DROP TABLE change_log;
ALTER TABLE new_change_log RENAME TO change_log;

CREATE INDEX change_log_by_time ON change_log (changed_at);
