-- Devices without a browser that wait for a person's decision (RFC 8628).

-- The rows end by themselves. A row is kept for a day after its end, so that a device learns that its code has expired.
CREATE TABLE device_codes (
    tenant_id      TEXT    NOT NULL,
    slot           INTEGER NOT NULL,
    code_digest    BLOB    NOT NULL,
    user_digest    BLOB    NOT NULL,
    client_id      TEXT    NOT NULL,
    granted        TEXT    NOT NULL,
    requested_from TEXT    NOT NULL,
    created_at     INTEGER NOT NULL,
    valid_until    INTEGER NOT NULL,
    expires_at     INTEGER NOT NULL,
    decided_at     INTEGER,
    account_id     TEXT,
    redeemed_at    INTEGER,
    PRIMARY KEY (tenant_id, slot, code_digest)
) STRICT, WITHOUT ROWID;

CREATE INDEX device_codes_by_user_code ON device_codes (tenant_id, user_digest);
CREATE INDEX device_codes_by_source ON device_codes (tenant_id, client_id, requested_from, valid_until);
CREATE INDEX device_codes_by_expiry ON device_codes (expires_at);
