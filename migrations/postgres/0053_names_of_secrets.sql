-- What people tell the secrets of a client apart by.
ALTER TABLE client_secrets ADD COLUMN name text CHECK (name <> '');
ALTER TABLE client_secrets ADD COLUMN fingerprint text CHECK (length(fingerprint) = 16);
