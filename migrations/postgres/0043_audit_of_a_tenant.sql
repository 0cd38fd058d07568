-- Records of the audit are numbered within their tenant. Those that exist keep their positions, and the next
-- ones go on from the largest of the tenant.
ALTER TABLE audit_records DROP CONSTRAINT audit_records_position_key;

-- Across tenants records are in the order of their times. Those of one time are in the order of their
-- tenants.
CREATE INDEX audit_by_time ON audit_records (at, tenant_id, position);

-- The writer of one tenant numbers by the records of that tenant, and sees none of another.
DROP POLICY IF EXISTS positions_of_all_tenants ON audit_records;

-- The first of the functions that latchkey_prepare_writer() consists of, as before without that policy. Every
-- start calls them, so the policy would come back.
CREATE OR REPLACE FUNCTION latchkey_prepare_writer_before_0016() RETURNS boolean LANGUAGE plpgsql AS $writer$
DECLARE
    walled regclass;
BEGIN
    IF NOT latchkey_take_role('latchkey_writer') THEN
        RETURN false;
    END IF;

    FOR walled IN
        SELECT c.oid FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
         WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p')
           AND a.attname = 'tenant_id' AND NOT a.attisdropped AND c.relforcerowsecurity
           AND NOT EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname = 'of_one_writer')
    LOOP
        EXECUTE format('CREATE POLICY of_one_writer ON %s TO latchkey_writer
                        USING (tenant_id = current_setting(''latchkey.tenant'', true))
                        WITH CHECK (tenant_id = current_setting(''latchkey.tenant'', true))', walled);
    END LOOP;

    IF NOT has_schema_privilege('latchkey_writer', current_schema(), 'USAGE') THEN
        EXECUTE format('GRANT USAGE ON SCHEMA %I TO latchkey_writer', current_schema());
    END IF;
    -- Rows of tenants are never deleted: they reserve their names. Nothing of the audit is changed or deleted,
    -- and nothing but positions is read.
    IF NOT has_column_privilege('latchkey_writer', 'audit_records', 'tenant_id', 'SELECT') THEN
        GRANT SELECT (tenant_id, position) ON audit_records TO latchkey_writer;
    END IF;
    PERFORM latchkey_grant('SELECT', 'latchkey_writer', ARRAY['tenants', 'tenant_issuers', 'tenant_former_typs',
                           'tenant_words', 'resource_servers', 'clients', 'client_names', 'client_secrets',
                           'applications', 'signing_keys', 'key_schedules', 'key_sightings', 'key_thumbprints',
                           'idempotent_answers', 'change_log']);
    PERFORM latchkey_grant('INSERT', 'latchkey_writer', ARRAY['tenants', 'tenant_issuers', 'tenant_former_typs',
                           'tenant_words', 'resource_servers', 'clients', 'client_names', 'client_secrets',
                           'applications', 'signing_keys', 'key_schedules', 'key_thumbprints', 'idempotent_answers',
                           'audit_records', 'change_log']);
    PERFORM latchkey_grant('UPDATE', 'latchkey_writer', ARRAY['tenants', 'resource_servers', 'clients',
                           'client_secrets', 'applications', 'signing_keys', 'key_schedules']);
    PERFORM latchkey_grant('DELETE', 'latchkey_writer', ARRAY['tenant_issuers', 'tenant_former_typs', 'tenant_words',
                           'client_names', 'client_secrets', 'applications', 'signing_keys', 'key_schedules',
                           'key_sightings', 'idempotent_answers', 'change_log']);
    RETURN true;
EXCEPTION
    -- A login that does not own the tables cannot give these rights; the owner's next start does.
    WHEN insufficient_privilege THEN RETURN false;
END
$writer$;
