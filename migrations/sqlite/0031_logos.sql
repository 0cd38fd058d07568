-- The logos of tenants. A tenant's row names them by their digests, so that a request for a token reads no picture.
CREATE TABLE tenant_logos (
    tenant_id TEXT NOT NULL,
    hash      TEXT NOT NULL,
    content   BLOB NOT NULL,
    PRIMARY KEY (tenant_id, hash)
) STRICT;
