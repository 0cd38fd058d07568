-- Signing keys, and the platform's own secrets: all of it sealed before it comes here.

CREATE TABLE signing_keys (
    tenant_id          TEXT    NOT NULL REFERENCES tenants (tenant_id),
    number             INTEGER NOT NULL CHECK (number > 0),   -- N of the kid oauth2-key-N
    algorithm          TEXT    NOT NULL,
    sealed_private_key BLOB    NOT NULL,
    thumbprint         TEXT    NOT NULL,
    announced_at       INTEGER NOT NULL,
    active_from        INTEGER NOT NULL,
    retiring_from      INTEGER,
    removed_at         INTEGER,
    PRIMARY KEY (tenant_id, number)
) STRICT, WITHOUT ROWID;

-- Of the platform, not of a tenant: the pepper is one of them.
CREATE TABLE sealed_values (
    name       TEXT    NOT NULL PRIMARY KEY,
    sealed     BLOB    NOT NULL,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
