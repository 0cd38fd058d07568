-- What people tell the secrets of a client apart by.
ALTER TABLE client_secrets ADD COLUMN name TEXT CHECK (name <> '');
ALTER TABLE client_secrets ADD COLUMN fingerprint TEXT CHECK (length(fingerprint) = 16);
