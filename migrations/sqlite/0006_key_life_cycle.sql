-- The life of signing keys: when each tenant's are looked at, who sees to it, and who has fetched them.

ALTER TABLE tenants ADD COLUMN rsa_bits INTEGER NOT NULL DEFAULT 2048;

-- For how long a key may wait to sign until verifiers that poll have it; absent: it waits for nobody.
ALTER TABLE tenants ADD COLUMN hold_activation INTEGER;

CREATE TABLE key_schedules (
    tenant_id          TEXT    NOT NULL PRIMARY KEY REFERENCES tenants (tenant_id),
    due_at             INTEGER,                         -- absent: nothing is planned
    earlier_jwks_age   INTEGER,                         -- for how long copies of the key set were kept under an earlier policy
    earlier_jwks_until INTEGER,                         -- until when such copies may be about
    CHECK ((earlier_jwks_age IS NULL) = (earlier_jwks_until IS NULL))
) STRICT, WITHOUT ROWID;

-- Cross-tenant work: keys that are due.
CREATE INDEX key_schedules_by_time ON key_schedules (due_at, tenant_id) WHERE due_at IS NOT NULL;

-- Keys that are there are looked at once.
INSERT INTO key_schedules (tenant_id, due_at) SELECT DISTINCT tenant_id, 0 FROM signing_keys;

-- The longest lifetime among a tenant's live clients decides how long its keys are published.
CREATE INDEX clients_by_lifetime ON clients (tenant_id, access_token_lifetime)
 WHERE access_token_lifetime IS NOT NULL AND retired_at IS NULL AND deleted_at IS NULL;

-- Of the platform, not of a tenant: work that one process does for all. Free once its end has come.
CREATE TABLE leases (
    name   TEXT    NOT NULL PRIMARY KEY,
    holder TEXT    NOT NULL,
    until  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Who fetched a tenant's keys, as user agent and address group; of each tenant those that came last.
CREATE TABLE key_sightings (
    tenant_id     TEXT    NOT NULL REFERENCES tenants (tenant_id),
    verifier      TEXT    NOT NULL,
    last_fetch_at INTEGER NOT NULL,
    newest_key    INTEGER NOT NULL,                     -- the highest number that it was given
    PRIMARY KEY (tenant_id, verifier)
) STRICT, WITHOUT ROWID;
