-- The public keys that a client signs its assertions with, as a JWKS document (RFC 7517 section 5). Null where it has none.
ALTER TABLE clients ADD COLUMN jwks text;

-- Earlier programs read all columns of tenants and clients, and PostgreSQL refuses such a statement in a session that prepared it before
-- a column was added. Their idle sessions are ended, so that they prepare it anew; a pool opens others. They wait for this transaction.
-- A program that is about to migrate too waits for a lock, and is not idle.
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
 WHERE datname = current_database() AND usename = session_user AND application_name = current_setting('application_name')
   AND pid <> pg_backend_pid() AND state = 'idle';
