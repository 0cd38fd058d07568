-- What each tenant has revoked: whole groups of tokens by what they were issued for, and single tokens, until the last of them has expired.

-- kind is tenant, client, credential, key or token; client_id is empty where it is tenant or key, and name where it is tenant or client.
-- Tokens that were issued until the second issued_until are invalid.
CREATE TABLE revocations (
    tenant_id    TEXT    NOT NULL,
    kind         TEXT    NOT NULL,
    client_id    TEXT    NOT NULL,
    name         TEXT    NOT NULL,
    issued_until INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, kind, client_id, name)
) STRICT, WITHOUT ROWID;

CREATE INDEX revocations_by_expiry ON revocations (expires_at);

-- The log of changes has one more kind. SQLite changes no check, so the table is made anew; its counter goes on.
CREATE TABLE new_change_log (
    position   INTEGER PRIMARY KEY AUTOINCREMENT,
    kind       TEXT    NOT NULL CHECK (kind IN ('tenant', 'client', 'keys', 'revocations')),
    tenant_id  TEXT    NOT NULL,
    client_id  TEXT,
    changed_at INTEGER NOT NULL
) STRICT;

INSERT INTO new_change_log (position, kind, tenant_id, client_id, changed_at)
SELECT position, kind, tenant_id, client_id, changed_at FROM change_log;

-- The counter is beyond the rows where old ones were removed, also where none is left.
INSERT INTO sqlite_sequence (name, seq)
SELECT 'new_change_log', 0 WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'new_change_log');
UPDATE sqlite_sequence SET seq = COALESCE((SELECT seq FROM sqlite_sequence WHERE name = 'change_log'), 0)
 WHERE name = 'new_change_log';

DROP TABLE change_log;
ALTER TABLE new_change_log RENAME TO change_log;

CREATE INDEX change_log_by_time ON change_log (changed_at);
