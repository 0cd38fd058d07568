-- The limits that a tenant has of its own, and how many clients it has.

-- A JSON object; a limit that it does not name is the platform's.
ALTER TABLE tenants ADD COLUMN limits TEXT NOT NULL DEFAULT '{}';

-- Clients that are neither retired nor deleted. Triggers keep the count, so that it is right for each program that writes
-- clients: an earlier program that runs beside this one during an upgrade counts as well. They run in the transaction of the commit, which increments the tenant's
-- revision: a count that was read with a revision is the count of that revision.
ALTER TABLE tenants ADD COLUMN client_count INTEGER NOT NULL DEFAULT 0;

CREATE TRIGGER clients_counted_insert AFTER INSERT ON clients
WHEN NEW.retired_at IS NULL AND NEW.deleted_at IS NULL
BEGIN
    UPDATE tenants SET client_count = client_count + 1 WHERE tenant_id = NEW.tenant_id;
END;

CREATE TRIGGER clients_counted_update AFTER UPDATE OF retired_at, deleted_at ON clients
WHEN (NEW.retired_at IS NULL AND NEW.deleted_at IS NULL) <> (OLD.retired_at IS NULL AND OLD.deleted_at IS NULL)
BEGIN
    UPDATE tenants
       SET client_count = client_count + CASE WHEN NEW.retired_at IS NULL AND NEW.deleted_at IS NULL THEN 1 ELSE -1 END
     WHERE tenant_id = NEW.tenant_id;
END;

CREATE TRIGGER clients_counted_delete AFTER DELETE ON clients
WHEN OLD.retired_at IS NULL AND OLD.deleted_at IS NULL
BEGIN
    UPDATE tenants SET client_count = client_count - 1 WHERE tenant_id = OLD.tenant_id;
END;

UPDATE tenants
   SET client_count = (SELECT COUNT(*) FROM clients c
                        WHERE c.tenant_id = tenants.tenant_id AND c.retired_at IS NULL AND c.deleted_at IS NULL);
