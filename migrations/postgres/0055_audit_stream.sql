-- How far the stream of the audit is in each tenant: the last line of its chain, and lines that were made and perhaps not written yet.
CREATE TABLE audit_chains (
    tenant_id text COLLATE "C" NOT NULL PRIMARY KEY,
    chain     text   NOT NULL,
    position  bigint NOT NULL,
    sequence  bigint NOT NULL,
    digest    text   NOT NULL,
    pending   text   NOT NULL
);

-- The keys of the digests that stand in the lines in place of personal texts.
CREATE TABLE audit_salts (
    tenant_id text COLLATE "C" NOT NULL,
    position  bigint NOT NULL,
    salt      bytea  NOT NULL,
    PRIMARY KEY (tenant_id, position)
);

-- The deletion of the person after which the texts about it were deleted from the audit.
ALTER TABLE accounts ADD COLUMN erased_at bigint;

CREATE INDEX accounts_to_erase ON accounts (tenant_id, account_id)
    WHERE deleted_at IS NOT NULL AND (erased_at IS NULL OR erased_at <> deleted_at);
CREATE INDEX audit_of_people ON audit_records (actor) WHERE actor LIKE 'account:%';

-- As before, and the rights to the new tables: the process that writes the stream works for all tenants.
ALTER FUNCTION latchkey_raise_wall() RENAME TO latchkey_raise_wall_before_audit_stream;

CREATE FUNCTION latchkey_raise_wall() RETURNS boolean LANGUAGE plpgsql AS $wall$
BEGIN
    IF NOT latchkey_raise_wall_before_audit_stream() THEN
        RETURN false;
    END IF;
    PERFORM latchkey_grant('SELECT', 'latchkey_app', ARRAY['audit_chains']);
    PERFORM latchkey_grant(privilege, 'latchkey_operator', ARRAY['audit_chains', 'audit_salts'])
       FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS privilege;
    RETURN true;
END
$wall$;
