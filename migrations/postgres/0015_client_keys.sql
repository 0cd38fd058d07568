-- The public keys that a client signs its assertions with, as a JWKS document (RFC 7517 section 5). Null where it has none.
ALTER TABLE clients ADD COLUMN jwks text;
