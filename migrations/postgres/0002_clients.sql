-- Clients and the hashes of their secrets.

CREATE TABLE clients (
    tenant_id             text COLLATE "C" NOT NULL REFERENCES tenants (tenant_id),
    client_id             text COLLATE "C" NOT NULL,
    name                  text   NOT NULL,
    managed_by            text   NOT NULL CHECK (managed_by IN ('config', 'api')),
    created_at            bigint NOT NULL,
    updated_at            bigint NOT NULL,
    suspended_at          bigint,
    retired_at            bigint,
    deleted_at            bigint,
    authentication_method text   NOT NULL,
    grant_types           text[] NOT NULL,
    audiences             text[] NOT NULL,
    resources             text[] NOT NULL,
    scopes                text   NOT NULL,
    access_token_lifetime bigint,                        -- absent: the tenant's
    issuer                text,                          -- absent: the tenant's
    introspection         text   NOT NULL,
    PRIMARY KEY (tenant_id, client_id)
);

-- A secret's value is never stored. Who revoked it matters: what another door revoked stays revoked although it is declared.
CREATE TABLE client_secrets (
    tenant_id           text COLLATE "C" NOT NULL,
    client_id           text COLLATE "C" NOT NULL,
    secret_id           text COLLATE "C" NOT NULL,
    hash                text   NOT NULL,                 -- with its version in front
    hint                text   NOT NULL,
    managed_by          text   NOT NULL CHECK (managed_by IN ('config', 'api')),
    created_at          bigint NOT NULL,
    expires_at          bigint,
    revoked_at          bigint,
    revoked_by          text   CHECK (revoked_by IN ('config', 'api')),
    declared_digest     bytea,                           -- recognises a declared value when reconciling; authenticates nobody
    declared_expires_at bigint,                          -- expires_at as declared, which another door may have moved
    PRIMARY KEY (tenant_id, client_id, secret_id),
    FOREIGN KEY (tenant_id, client_id) REFERENCES clients (tenant_id, client_id),
    CHECK ((revoked_at IS NULL) = (revoked_by IS NULL))
);
