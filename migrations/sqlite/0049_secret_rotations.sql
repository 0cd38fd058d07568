-- When the platform replaces the secret of a client by itself: a document, and how far it is. `rotation_seen` is the document that was looked at last.
ALTER TABLE clients ADD COLUMN rotation TEXT;
ALTER TABLE clients ADD COLUMN rotation_seen TEXT;
ALTER TABLE clients ADD COLUMN rotation_due_at INTEGER;
ALTER TABLE clients ADD COLUMN rotation_begun_at INTEGER;
ALTER TABLE clients ADD COLUMN rotation_failures INTEGER NOT NULL DEFAULT 0;
ALTER TABLE clients ADD COLUMN rotation_failed_at INTEGER;
ALTER TABLE clients ADD COLUMN rotation_failure TEXT;

CREATE INDEX clients_that_rotate ON clients (tenant_id, client_id) WHERE rotation IS NOT NULL;
