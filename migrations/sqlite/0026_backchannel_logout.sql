-- Which clients a session has given a code, and the notices that are sent to them when it ends (OpenID Connect Back-Channel Logout 1.0).

-- The rows end by themselves.
CREATE TABLE session_clients (
    tenant_id  TEXT    NOT NULL,
    slot       INTEGER NOT NULL,
    session_id TEXT    NOT NULL,
    client_id  TEXT    NOT NULL,
    account_id TEXT    NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, slot, session_id, client_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX session_clients_by_session ON session_clients (tenant_id, session_id);
CREATE INDEX session_clients_by_expiry ON session_clients (expires_at);

CREATE TABLE logout_outbox (
    tenant_id       TEXT    NOT NULL,
    slot            INTEGER NOT NULL,
    session_id      TEXT    NOT NULL,
    client_id       TEXT    NOT NULL,
    account_id      TEXT    NOT NULL,
    attempts        INTEGER NOT NULL,
    next_attempt_at INTEGER NOT NULL,
    expires_at      INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, slot, session_id, client_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX logout_outbox_by_attempt ON logout_outbox (next_attempt_at);
CREATE INDEX logout_outbox_by_expiry ON logout_outbox (expires_at);
