-- Tenants, the names they speak under, and their audiences.
--
-- Migrations are never edited once released. A column or table is first added, then used, and removed only when no released
-- program reads it any more: expand, then contract.
--
-- In every table that belongs to a tenant, tenant_id is part of the primary key and of every foreign key, so that no row can
-- hang on another tenant's. Times are seconds since 1970. Lists are JSON arrays. A row stops serving by suspended_at (intent),
-- retired_at (no longer declared) or deleted_at (gone, kept only to reserve its id).

CREATE TABLE tenants (
    tenant_id             TEXT    NOT NULL PRIMARY KEY,
    name                  TEXT    NOT NULL,
    managed_by            TEXT    NOT NULL CHECK (managed_by IN ('config', 'api')),
    created_at            INTEGER NOT NULL,
    updated_at            INTEGER NOT NULL,
    suspended_at          INTEGER,
    retired_at            INTEGER,
    deleted_at            INTEGER,
    keys_published_until  INTEGER,            -- while it does not serve: when its last token expires
    earlier_tokens_until  INTEGER,            -- when the last token under a former, longer lifetime expires
    fingerprint           BLOB,               -- of the declaration that it agrees with
    oauth2_enabled        INTEGER NOT NULL CHECK (oauth2_enabled IN (0, 1)),
    oidc_enabled          INTEGER NOT NULL CHECK (oidc_enabled IN (0, 1)),
    stale_if_error        INTEGER NOT NULL,
    signing_algorithm     TEXT    NOT NULL,
    rotate_every          INTEGER NOT NULL,
    publish_before        INTEGER NOT NULL,
    jwks_max_age          INTEGER NOT NULL,
    jwks_stale            INTEGER NOT NULL,
    skew                  INTEGER NOT NULL,
    access_token_lifetime INTEGER NOT NULL,
    access_token_format   TEXT    NOT NULL,
    access_token_typ      TEXT    NOT NULL,
    next_key              INTEGER NOT NULL DEFAULT 1,   -- a counter: a kid is never given twice
    first_key_thumbprint  TEXT                          -- of the key that was imported as the first
) STRICT, WITHOUT ROWID;

-- Cross-tenant work: what configuration manages.
CREATE INDEX tenants_by_manager ON tenants (managed_by);

-- `iss` values: position 0 is the issuer, the others are aliases. One value names one tenant on the whole platform, also while
-- that tenant is retired: its tokens may still be about.
CREATE TABLE tenant_issuers (
    tenant_id TEXT    NOT NULL REFERENCES tenants (tenant_id),
    position  INTEGER NOT NULL,
    issuer    TEXT    NOT NULL UNIQUE,
    PRIMARY KEY (tenant_id, position)
) STRICT, WITHOUT ROWID;

-- `typ` values of the past, accepted until the last token that bears them expires.
CREATE TABLE tenant_former_typs (
    tenant_id      TEXT    NOT NULL REFERENCES tenants (tenant_id),
    typ            TEXT    NOT NULL,
    accepted_until INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, typ)
) STRICT, WITHOUT ROWID;

CREATE TABLE resource_servers (
    tenant_id             TEXT    NOT NULL REFERENCES tenants (tenant_id),
    audience              TEXT    NOT NULL,
    managed_by            TEXT    NOT NULL CHECK (managed_by IN ('config', 'api')),
    created_at            INTEGER NOT NULL,
    updated_at            INTEGER NOT NULL,
    retired_at            INTEGER,
    deleted_at            INTEGER,
    scopes                TEXT    NOT NULL,             -- separated by spaces, as on the wire
    introspection_clients TEXT    NOT NULL,
    PRIMARY KEY (tenant_id, audience)
) STRICT, WITHOUT ROWID;
