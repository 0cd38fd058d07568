-- Sessions of the console, and links that wait for their exchange.
CREATE TABLE console_sessions (
    tenant_id    TEXT    NOT NULL,
    session_id   TEXT    NOT NULL,
    token_digest BLOB    NOT NULL,
    is_link      INTEGER NOT NULL,
    -- A document: for whom it acts.
    holder       TEXT    NOT NULL,
    actor        TEXT    NOT NULL,
    proven_at    INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, session_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX console_sessions_of_actor ON console_sessions (tenant_id, actor, proven_at);
