-- What was applied, what changed, and who did it.

-- Configurations that were applied. The content is a keyed digest: a plain one would let whoever knows the files try weak secrets
-- of the environment against it.
CREATE TABLE generations (
    number     INTEGER PRIMARY KEY AUTOINCREMENT,
    content    BLOB    NOT NULL,
    applied_at INTEGER NOT NULL
) STRICT;

CREATE INDEX generations_by_content ON generations (content);

-- What caches must forget, for the background task of each process. It reads across tenants, so the position alone is the key;
-- it is a counter that never goes back. Rows older than a day are removed: no cache keeps anything that long.
CREATE TABLE change_log (
    position   INTEGER PRIMARY KEY AUTOINCREMENT,
    kind       TEXT    NOT NULL CHECK (kind IN ('tenant', 'client', 'keys')),
    tenant_id  TEXT    NOT NULL,
    client_id  TEXT,
    changed_at INTEGER NOT NULL
) STRICT;

CREATE INDEX change_log_by_time ON change_log (changed_at);

-- One row a change, written in its transaction; no foreign key, because a record outlives what it is about.
CREATE TABLE audit_records (
    tenant_id TEXT    NOT NULL,
    position  INTEGER NOT NULL UNIQUE,
    at        INTEGER NOT NULL,
    actor     TEXT    NOT NULL,
    action    TEXT    NOT NULL,
    subject   TEXT    NOT NULL,
    detail    TEXT    NOT NULL,
    PRIMARY KEY (tenant_id, position)
) STRICT, WITHOUT ROWID;
