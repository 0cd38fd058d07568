-- Devices without a browser that wait for a person's decision (RFC 8628).

-- The rows end by themselves, in a ring as those of codes: a day is the unit, of which there are 8. A row is kept for a day after its end, so
-- that a device learns that its code has expired.
CREATE TABLE device_codes (
    tenant_id      text COLLATE "C" NOT NULL,
    slot           bigint           NOT NULL,
    code_digest    bytea            NOT NULL,
    user_digest    bytea            NOT NULL,
    client_id      text COLLATE "C" NOT NULL,
    granted        text             NOT NULL,
    requested_from text COLLATE "C" NOT NULL,
    created_at     bigint           NOT NULL,
    valid_until    bigint           NOT NULL,
    expires_at     bigint           NOT NULL,
    decided_at     bigint,
    account_id     text COLLATE "C",
    redeemed_at    bigint,
    PRIMARY KEY (tenant_id, slot, code_digest)
) PARTITION BY LIST (slot);

CREATE INDEX device_codes_by_user_code ON device_codes (tenant_id, user_digest);
CREATE INDEX device_codes_by_source ON device_codes (tenant_id, client_id, requested_from, valid_until);
CREATE INDEX device_codes_by_expiry ON device_codes (expires_at);

DO $rings$
BEGIN
    FOR slot IN 0 .. 7 LOOP
        EXECUTE format('CREATE TABLE %I PARTITION OF device_codes FOR VALUES IN (%s)', 'device_codes_' || slot, slot);
    END LOOP;
END
$rings$;

-- As before, and the rights to the new table.
ALTER FUNCTION latchkey_raise_wall() RENAME TO latchkey_raise_wall_before_device_codes;

CREATE FUNCTION latchkey_raise_wall() RETURNS boolean LANGUAGE plpgsql AS $wall$
BEGIN
    IF NOT latchkey_raise_wall_before_device_codes() THEN
        RETURN false;
    END IF;
    PERFORM latchkey_grant(privilege, 'latchkey_app', ARRAY['device_codes'])
       FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE']) AS privilege;
    PERFORM latchkey_grant(privilege, 'latchkey_operator', ARRAY['device_codes'])
       FROM unnest(ARRAY['SELECT', 'DELETE']) AS privilege;
    PERFORM latchkey_grant('TRUNCATE', 'latchkey_operator', ARRAY[inhrelid::regclass::text])
       FROM pg_inherits WHERE inhparent = 'device_codes'::regclass;
    RETURN true;
END
$wall$;

ALTER FUNCTION latchkey_prepare_writer() RENAME TO latchkey_prepare_writer_before_device_codes;

CREATE FUNCTION latchkey_prepare_writer() RETURNS boolean LANGUAGE plpgsql AS $writer$
BEGIN
    IF NOT latchkey_prepare_writer_before_device_codes() THEN
        RETURN false;
    END IF;
    PERFORM latchkey_grant(privilege, 'latchkey_writer', ARRAY['device_codes'])
       FROM unnest(ARRAY['SELECT', 'DELETE']) AS privilege;
    RETURN true;
EXCEPTION
    WHEN insufficient_privilege THEN RETURN false;
END
$writer$;
