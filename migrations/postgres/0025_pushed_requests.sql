-- Pushed authorization requests, which lie in a ring of partitions as authorization codes do: a day each, 8 of them.

CREATE TABLE pushed_requests (
    tenant_id      text COLLATE "C" NOT NULL,
    slot           bigint           NOT NULL,
    request_digest bytea            NOT NULL,
    client_id      text COLLATE "C" NOT NULL,
    parameters     text             NOT NULL,
    valid_until    bigint           NOT NULL,
    expires_at     bigint           NOT NULL,
    used_at        bigint,
    PRIMARY KEY (tenant_id, slot, request_digest)
) PARTITION BY LIST (slot);

CREATE INDEX pushed_requests_by_expiry ON pushed_requests (expires_at);
CREATE INDEX pushed_requests_by_client ON pushed_requests (tenant_id, client_id, valid_until) WHERE used_at IS NULL;

DO $ring$
BEGIN
    FOR slot IN 0 .. 7 LOOP
        EXECUTE format('CREATE TABLE %I PARTITION OF pushed_requests FOR VALUES IN (%s)', 'pushed_requests_' || slot, slot);
    END LOOP;
END
$ring$;

-- As before, and the rights to the new table: requests write the rows of their tenant, and the operator empties partitions.
ALTER FUNCTION latchkey_raise_wall() RENAME TO latchkey_raise_wall_before_0025;

CREATE FUNCTION latchkey_raise_wall() RETURNS boolean LANGUAGE plpgsql AS $wall$
BEGIN
    IF NOT latchkey_raise_wall_before_0025() THEN
        RETURN false;
    END IF;
    PERFORM latchkey_grant(privilege, 'latchkey_app', ARRAY['pushed_requests'])
       FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE']) AS privilege;
    PERFORM latchkey_grant(privilege, 'latchkey_operator', ARRAY['pushed_requests'])
       FROM unnest(ARRAY['SELECT', 'DELETE']) AS privilege;
    PERFORM latchkey_grant('TRUNCATE', 'latchkey_operator', ARRAY[inhrelid::regclass::text])
       FROM pg_inherits WHERE inhparent = 'pushed_requests'::regclass;
    RETURN true;
END
$wall$;

-- The same for commits of one tenant: deleting a tenant deletes what its people left behind.
ALTER FUNCTION latchkey_prepare_writer() RENAME TO latchkey_prepare_writer_before_0025;

CREATE FUNCTION latchkey_prepare_writer() RETURNS boolean LANGUAGE plpgsql AS $writer$
BEGIN
    IF NOT latchkey_prepare_writer_before_0025() THEN
        RETURN false;
    END IF;
    PERFORM latchkey_grant(privilege, 'latchkey_writer', ARRAY['pushed_requests'])
       FROM unnest(ARRAY['SELECT', 'DELETE']) AS privilege;
    RETURN true;
EXCEPTION
    WHEN insufficient_privilege THEN RETURN false;
END
$writer$;
