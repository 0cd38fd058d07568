-- The https URL where a client publishes the keys that it signs its assertions with (RFC 7591 section 2). Null where it has none.
ALTER TABLE clients ADD COLUMN jwks_uri TEXT;

-- Which assertions of its clients a tenant accepts: whether for its issuer alone, and for how many seconds.
ALTER TABLE tenants ADD COLUMN assertions_for_issuer_only INTEGER NOT NULL DEFAULT 0;
ALTER TABLE tenants ADD COLUMN assertion_max_lifetime INTEGER NOT NULL DEFAULT 3600;
