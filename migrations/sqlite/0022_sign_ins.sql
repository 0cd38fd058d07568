-- What people's sign-ins leave behind: sessions, authorization codes, and what they have allowed.

-- How a client signs people in, as a document. What is left out of it has its default.
ALTER TABLE clients ADD COLUMN code_flow TEXT NOT NULL DEFAULT '{}';

-- The rows end by themselves. Nothing refers to them: whether one is valid is decided at each read. A slot is what a partition is in PostgreSQL.

CREATE TABLE sessions (
    tenant_id        TEXT    NOT NULL,
    slot             INTEGER NOT NULL,
    session_id       TEXT    NOT NULL,
    token_digest     BLOB    NOT NULL,
    account_id       TEXT    NOT NULL,
    authenticated_at INTEGER NOT NULL,
    acr              TEXT    NOT NULL,
    amr              TEXT    NOT NULL,
    created_at       INTEGER NOT NULL,
    last_seen_at     INTEGER NOT NULL,
    idle             INTEGER NOT NULL,
    expires_at       INTEGER NOT NULL,
    user_agent       TEXT    NOT NULL,
    ended_at         INTEGER,
    PRIMARY KEY (tenant_id, slot, session_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX sessions_by_account ON sessions (tenant_id, account_id);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);

-- A code is kept for a day after its end, so that a second use of it is noticed.
CREATE TABLE authorization_codes (
    tenant_id      TEXT    NOT NULL,
    slot           INTEGER NOT NULL,
    code_digest    BLOB    NOT NULL,
    client_id      TEXT    NOT NULL,
    account_id     TEXT    NOT NULL,
    session_slot   INTEGER NOT NULL,
    session_id     TEXT    NOT NULL,
    redirect_uri   TEXT    NOT NULL,
    code_challenge BLOB,
    granted        TEXT    NOT NULL,
    created_at     INTEGER NOT NULL,
    valid_until    INTEGER NOT NULL,
    expires_at     INTEGER NOT NULL,
    redeemed_at    INTEGER,
    token_id       TEXT,
    token_until    INTEGER,
    PRIMARY KEY (tenant_id, slot, code_digest)
) STRICT, WITHOUT ROWID;

CREATE INDEX authorization_codes_by_expiry ON authorization_codes (expires_at);

-- What people have allowed clients.
CREATE TABLE consents (
    tenant_id  TEXT    NOT NULL,
    account_id TEXT    NOT NULL,
    client_id  TEXT    NOT NULL,
    scopes     TEXT    NOT NULL,
    hosts      TEXT    NOT NULL,
    granted_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, account_id, client_id)
) STRICT, WITHOUT ROWID;
