-- Pushed authorization requests, which end by themselves.

CREATE TABLE pushed_requests (
    tenant_id      TEXT    NOT NULL,
    slot           INTEGER NOT NULL,
    request_digest BLOB    NOT NULL,
    client_id      TEXT    NOT NULL,
    parameters     TEXT    NOT NULL,
    valid_until    INTEGER NOT NULL,
    expires_at     INTEGER NOT NULL,
    used_at        INTEGER,
    PRIMARY KEY (tenant_id, slot, request_digest)
) STRICT, WITHOUT ROWID;

CREATE INDEX pushed_requests_by_expiry ON pushed_requests (expires_at);
CREATE INDEX pushed_requests_by_client ON pushed_requests (tenant_id, client_id, valid_until) WHERE used_at IS NULL;
