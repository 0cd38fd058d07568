-- The subject of a client's certificates (RFC 8705 section 2.1.2): its kind, a colon and the name. Null where it has none.
ALTER TABLE clients ADD COLUMN tls_client_auth_subject text;
