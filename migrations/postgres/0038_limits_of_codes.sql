-- How many codes a session gave a client in the minute that began then: the limit is in the statement that notes the client.
ALTER TABLE session_clients ADD COLUMN codes bigint NOT NULL DEFAULT 0;
ALTER TABLE session_clients ADD COLUMN codes_since bigint NOT NULL DEFAULT 0;

-- The aggregated address that pushed a request, and when its page was opened first. Null in rows of an earlier program, whose requests are kept as
-- long as if their pages were open.
ALTER TABLE pushed_requests ADD COLUMN pushed_from text COLLATE "C";
ALTER TABLE pushed_requests ADD COLUMN opened_at bigint;
DROP INDEX pushed_requests_by_client;
CREATE INDEX pushed_requests_by_client ON pushed_requests (tenant_id, client_id, valid_until, pushed_from) WHERE used_at IS NULL;

-- As before, and requests count the codes of their tenant. They write nothing else of these rows.
ALTER FUNCTION latchkey_raise_wall() RENAME TO latchkey_raise_wall_before_0038;

CREATE FUNCTION latchkey_raise_wall() RETURNS boolean LANGUAGE plpgsql AS $wall$
BEGIN
    IF NOT latchkey_raise_wall_before_0038() THEN
        RETURN false;
    END IF;
    IF NOT has_column_privilege('latchkey_app', 'session_clients', 'codes_since', 'UPDATE') THEN
        GRANT UPDATE (codes, codes_since) ON session_clients TO latchkey_app;
    END IF;
    RETURN true;
END
$wall$;
