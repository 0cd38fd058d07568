-- The logos of tenants. A tenant's row names them by their digests, so that a request for a token reads no picture.
CREATE TABLE tenant_logos (
    tenant_id text COLLATE "C" NOT NULL,
    hash      text COLLATE "C" NOT NULL,
    content   bytea            NOT NULL,
    PRIMARY KEY (tenant_id, hash)
);

-- A picture is compressed already.
ALTER TABLE tenant_logos ALTER COLUMN content SET STORAGE EXTERNAL;

-- As before, and the rights to the new table: a request reads the logos of its tenant.
ALTER FUNCTION latchkey_raise_wall() RENAME TO latchkey_raise_wall_before_logos;

CREATE FUNCTION latchkey_raise_wall() RETURNS boolean LANGUAGE plpgsql AS $wall$
BEGIN
    IF NOT latchkey_raise_wall_before_logos() THEN
        RETURN false;
    END IF;
    PERFORM latchkey_grant('SELECT', 'latchkey_app', ARRAY['tenant_logos']);
    PERFORM latchkey_grant(privilege, 'latchkey_operator', ARRAY['tenant_logos'])
       FROM unnest(ARRAY['SELECT', 'INSERT', 'DELETE']) AS privilege;
    RETURN true;
END
$wall$;

-- The same for commits of one tenant.
ALTER FUNCTION latchkey_prepare_writer() RENAME TO latchkey_prepare_writer_before_logos;

CREATE FUNCTION latchkey_prepare_writer() RETURNS boolean LANGUAGE plpgsql AS $writer$
BEGIN
    IF NOT latchkey_prepare_writer_before_logos() THEN
        RETURN false;
    END IF;
    PERFORM latchkey_grant(privilege, 'latchkey_writer', ARRAY['tenant_logos'])
       FROM unnest(ARRAY['SELECT', 'INSERT', 'DELETE']) AS privilege;
    RETURN true;
EXCEPTION
    WHEN insufficient_privilege THEN RETURN false;
END
$writer$;
