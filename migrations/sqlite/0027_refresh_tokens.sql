-- Refresh tokens, and how long they live.

-- The policy of a tenant, as a document. What is left out of it has its default.
ALTER TABLE tenants ADD COLUMN refresh_token TEXT NOT NULL DEFAULT '{}';

-- One row for all the refresh tokens that follow from one grant: a token has the family, its secret and its generation, and the next one is
-- computed from it. A slot is what a partition is in PostgreSQL. The columns token_id and token_until of authorization_codes are not written
-- any more: a second use of a code ends its grant.
CREATE TABLE refresh_families (
    tenant_id     TEXT    NOT NULL,
    slot          INTEGER NOT NULL,
    family_id     TEXT    NOT NULL,
    client_id     TEXT    NOT NULL,
    account_id    TEXT    NOT NULL,
    session_id    TEXT,
    session_slot  INTEGER,
    secret_digest BLOB    NOT NULL,
    generation    INTEGER NOT NULL,
    rotated_at    INTEGER NOT NULL,
    dpop_key      BLOB,
    certificate   BLOB,
    granted       TEXT    NOT NULL,
    created_at    INTEGER NOT NULL,
    idle_until    INTEGER NOT NULL,
    expires_at    INTEGER NOT NULL,
    ended_at      INTEGER,
    PRIMARY KEY (tenant_id, family_id, slot)
) STRICT, WITHOUT ROWID;

CREATE INDEX refresh_families_by_session ON refresh_families (tenant_id, session_id);
CREATE INDEX refresh_families_by_account ON refresh_families (tenant_id, account_id);
CREATE INDEX refresh_families_by_expiry ON refresh_families (expires_at);
