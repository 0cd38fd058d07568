-- How far the stream of the audit is in each tenant: the last line of its chain, and lines that were made and perhaps not written yet.
CREATE TABLE audit_chains (
    tenant_id TEXT    NOT NULL PRIMARY KEY,
    chain     TEXT    NOT NULL,
    position  INTEGER NOT NULL,
    sequence  INTEGER NOT NULL,
    digest    TEXT    NOT NULL,
    pending   TEXT    NOT NULL
) STRICT, WITHOUT ROWID;

-- The keys of the digests that stand in the lines in place of personal texts.
CREATE TABLE audit_salts (
    tenant_id TEXT    NOT NULL,
    position  INTEGER NOT NULL,
    salt      BLOB    NOT NULL,
    PRIMARY KEY (tenant_id, position)
) STRICT, WITHOUT ROWID;

-- The deletion of the person after which the texts about it were deleted from the audit.
ALTER TABLE accounts ADD COLUMN erased_at INTEGER;

CREATE INDEX accounts_to_erase ON accounts (tenant_id, account_id)
    WHERE deleted_at IS NOT NULL AND (erased_at IS NULL OR erased_at <> deleted_at);
