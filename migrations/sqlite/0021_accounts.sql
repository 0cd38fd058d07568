-- Accounts of people, each of one tenant, and the identifiers that they sign in by.

-- claims and group_names are JSON. valid_from moves without a revision: an authentication before it proves nothing any more. A deleted row
-- keeps its id from being used again, and has nothing of the person.
CREATE TABLE accounts (
    tenant_id           TEXT    NOT NULL REFERENCES tenants,
    account_id          TEXT    NOT NULL,
    external_id         TEXT,
    claims              TEXT    NOT NULL,
    group_names         TEXT    NOT NULL,
    password_hash       TEXT,
    password_changed_at INTEGER,
    declared_digest     BLOB,
    valid_from          INTEGER NOT NULL,
    managed_by          TEXT    NOT NULL CHECK (managed_by IN ('config', 'api')),
    suspended_at        INTEGER,
    retired_at          INTEGER,
    deleted_at          INTEGER,
    created_at          INTEGER NOT NULL,
    updated_at          INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, account_id)
) STRICT;

CREATE UNIQUE INDEX accounts_by_external_id ON accounts (tenant_id, external_id) WHERE external_id IS NOT NULL;
CREATE INDEX accounts_by_creation ON accounts (tenant_id, created_at, account_id) WHERE deleted_at IS NULL;
CREATE INDEX accounts_of_files ON accounts (tenant_id, account_id) WHERE managed_by = 'config';

-- A value belongs to one account of its tenant.
CREATE TABLE account_identifiers (
    tenant_id   TEXT    NOT NULL,
    kind        TEXT    NOT NULL CHECK (kind IN ('email', 'username')),
    value       TEXT    NOT NULL,
    account_id  TEXT    NOT NULL,
    verified_at INTEGER,
    PRIMARY KEY (tenant_id, kind, value),
    FOREIGN KEY (tenant_id, account_id) REFERENCES accounts (tenant_id, account_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX account_identifiers_by_account ON account_identifiers (tenant_id, account_id);

-- The log of changes has one more kind, with an id of its own. SQLite changes no check, so the table is made anew; its counter goes on.
CREATE TABLE new_change_log (
    position   INTEGER PRIMARY KEY AUTOINCREMENT,
    kind       TEXT    NOT NULL CHECK (kind IN ('tenant', 'client', 'keys', 'revocations', 'account')),
    tenant_id  TEXT    NOT NULL,
    client_id  TEXT,
    account_id TEXT,
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
