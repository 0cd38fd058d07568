-- Identifiers that may be used once, such as the jti of an assertion, until what they identify has expired.

-- No reference to tenants: a row ends by itself within hours, and checking one would read another table for each assertion.
CREATE TABLE used_identifiers (
    tenant_id  TEXT    NOT NULL,
    digest     BLOB    NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, digest)
) STRICT, WITHOUT ROWID;

CREATE INDEX used_identifiers_by_expiry ON used_identifiers (expires_at);
