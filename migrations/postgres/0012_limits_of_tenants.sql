-- The limits that a tenant has of its own, and how many clients it has.

-- limits is a JSON object; a limit that it does not name is the platform's.
--
-- client_count counts clients that are neither retired nor deleted. Triggers keep it, so that it is right for each program that writes
-- clients: an earlier program that runs beside this one during an upgrade counts as well. They run in the transaction of the commit, which
-- increments the tenant's revision: a count that was read with a revision is the count of that revision.
ALTER TABLE tenants ADD COLUMN limits       text   NOT NULL DEFAULT '{}',
                    ADD COLUMN client_count bigint NOT NULL DEFAULT 0;

-- Once for each statement: a row of tenants that is written for each of ten thousand clients would be slow to find.
CREATE FUNCTION latchkey_count_clients() RETURNS trigger LANGUAGE plpgsql AS $count$
BEGIN
    IF TG_OP = 'INSERT' THEN
        UPDATE tenants t SET client_count = t.client_count + counted.change
          FROM (SELECT tenant_id, count(*) AS change FROM new_clients
                 WHERE retired_at IS NULL AND deleted_at IS NULL GROUP BY tenant_id) AS counted
         WHERE t.tenant_id = counted.tenant_id;
    ELSIF TG_OP = 'DELETE' THEN
        UPDATE tenants t SET client_count = t.client_count - counted.change
          FROM (SELECT tenant_id, count(*) AS change FROM old_clients
                 WHERE retired_at IS NULL AND deleted_at IS NULL GROUP BY tenant_id) AS counted
         WHERE t.tenant_id = counted.tenant_id;
    ELSE
        UPDATE tenants t SET client_count = t.client_count + counted.change
          FROM (SELECT tenant_id, sum(change) AS change
                  FROM (SELECT tenant_id, 1 AS change FROM new_clients
                         WHERE retired_at IS NULL AND deleted_at IS NULL
                         UNION ALL
                        SELECT tenant_id, -1 FROM old_clients
                         WHERE retired_at IS NULL AND deleted_at IS NULL) AS each_client
                 GROUP BY tenant_id HAVING sum(change) <> 0) AS counted
         WHERE t.tenant_id = counted.tenant_id;
    END IF;
    RETURN NULL;
END
$count$;

CREATE TRIGGER clients_counted_insert AFTER INSERT ON clients REFERENCING NEW TABLE AS new_clients
    FOR EACH STATEMENT EXECUTE FUNCTION latchkey_count_clients();
CREATE TRIGGER clients_counted_update AFTER UPDATE ON clients REFERENCING OLD TABLE AS old_clients NEW TABLE AS new_clients
    FOR EACH STATEMENT EXECUTE FUNCTION latchkey_count_clients();
CREATE TRIGGER clients_counted_delete AFTER DELETE ON clients REFERENCING OLD TABLE AS old_clients
    FOR EACH STATEMENT EXECUTE FUNCTION latchkey_count_clients();

-- The clients that are already there. Under row level security the rows are seen by latchkey_operator only, and a login that cannot act
-- as that role is refused a moment later, which takes all of this back.
DO $rows$
BEGIN
    IF latchkey_raise_wall() THEN
        SET LOCAL ROLE latchkey_operator;
    END IF;
    UPDATE tenants t
       SET client_count = (SELECT count(*) FROM clients c
                            WHERE c.tenant_id = t.tenant_id AND c.retired_at IS NULL AND c.deleted_at IS NULL);
    SET LOCAL ROLE NONE;
END
$rows$;

-- Earlier programs read all columns of tenants and clients, and PostgreSQL refuses such a statement in a session that prepared it before
-- a column was added. Their idle sessions are ended, so that they prepare it anew; a pool opens others. They wait for this transaction.
-- A program that is about to migrate too waits for a lock, and is not idle.
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
 WHERE datname = current_database() AND usename = session_user AND application_name = current_setting('application_name')
   AND pid <> pg_backend_pid() AND state = 'idle';
