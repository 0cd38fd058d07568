-- When the platform replaces the secret of a client by itself: a document, and how far it is. `rotation_seen` is the document that was looked at last.
ALTER TABLE clients ADD COLUMN rotation text;
ALTER TABLE clients ADD COLUMN rotation_seen text;
ALTER TABLE clients ADD COLUMN rotation_due_at bigint;
ALTER TABLE clients ADD COLUMN rotation_begun_at bigint;
ALTER TABLE clients ADD COLUMN rotation_failures bigint NOT NULL DEFAULT 0;
ALTER TABLE clients ADD COLUMN rotation_failed_at bigint;
ALTER TABLE clients ADD COLUMN rotation_failure text;

CREATE INDEX clients_that_rotate ON clients (tenant_id, client_id) WHERE rotation IS NOT NULL;
