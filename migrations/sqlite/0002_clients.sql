-- Clients and the hashes of their secrets.

CREATE TABLE clients (
    tenant_id             TEXT    NOT NULL REFERENCES tenants (tenant_id),
    client_id             TEXT    NOT NULL,
    name                  TEXT    NOT NULL,
    managed_by            TEXT    NOT NULL CHECK (managed_by IN ('config', 'api')),
    created_at            INTEGER NOT NULL,
    updated_at            INTEGER NOT NULL,
    suspended_at          INTEGER,
    retired_at            INTEGER,
    deleted_at            INTEGER,
    authentication_method TEXT    NOT NULL,
    grant_types           TEXT    NOT NULL,
    audiences             TEXT    NOT NULL,
    resources             TEXT    NOT NULL,
    scopes                TEXT    NOT NULL,
    access_token_lifetime INTEGER,                      -- absent: the tenant's
    issuer                TEXT,                         -- absent: the tenant's
    introspection         TEXT    NOT NULL,
    PRIMARY KEY (tenant_id, client_id)
) STRICT, WITHOUT ROWID;

-- A secret's value is never stored. Who revoked it matters: what another door revoked stays revoked although it is declared.
CREATE TABLE client_secrets (
    tenant_id           TEXT    NOT NULL,
    client_id           TEXT    NOT NULL,
    secret_id           TEXT    NOT NULL,
    hash                TEXT    NOT NULL,               -- with its version in front
    hint                TEXT    NOT NULL,
    managed_by          TEXT    NOT NULL CHECK (managed_by IN ('config', 'api')),
    created_at          INTEGER NOT NULL,
    expires_at          INTEGER,
    revoked_at          INTEGER,
    revoked_by          TEXT    CHECK (revoked_by IN ('config', 'api')),
    declared_digest     BLOB,                           -- recognises a declared value when reconciling; authenticates nobody
    declared_expires_at INTEGER,                        -- expires_at as declared, which another door may have moved
    PRIMARY KEY (tenant_id, client_id, secret_id),
    FOREIGN KEY (tenant_id, client_id) REFERENCES clients (tenant_id, client_id),
    CHECK ((revoked_at IS NULL) = (revoked_by IS NULL))
) STRICT, WITHOUT ROWID;
