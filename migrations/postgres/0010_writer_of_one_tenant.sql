-- A third role. A commit that concerns one tenant runs as latchkey_writer, which sees and writes the rows of the tenant in the setting
-- latchkey.tenant only. Until now each commit ran as latchkey_operator, which sees the rows of all tenants. A login that may not act as
-- latchkey_writer goes on as before.

-- Creates the role where it is missing, and returns whether the caller may act as it. A role that row level security does not restrict
-- is of no use.
CREATE FUNCTION latchkey_take_role(role_name text) RETURNS boolean LANGUAGE plpgsql AS $role$
DECLARE
    -- From 16 on a membership that is there keeps its options unless they are named; earlier ones know no options.
    options text := CASE WHEN current_setting('server_version_num')::integer >= 160000 THEN 'WITH SET TRUE' ELSE '' END;
BEGIN
    BEGIN
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role_name) THEN
            EXECUTE format('CREATE ROLE %I NOLOGIN NOBYPASSRLS', role_name);
        END IF;
    EXCEPTION
        WHEN duplicate_object OR unique_violation THEN NULL;
        WHEN insufficient_privilege THEN RETURN false;
    END;
    BEGIN
        EXECUTE format('SET LOCAL ROLE %I', role_name);
        SET LOCAL ROLE NONE;
    EXCEPTION WHEN insufficient_privilege THEN
        BEGIN
            EXECUTE format('GRANT %I TO CURRENT_USER %s', role_name, options);
            EXECUTE format('SET LOCAL ROLE %I', role_name);
            SET LOCAL ROLE NONE;
        EXCEPTION
            -- The program of another database, with the same login, was granted the role at this moment.
            WHEN unique_violation THEN NULL;
            WHEN insufficient_privilege THEN RETURN false;
        END;
    END;
    RETURN NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role_name AND (rolsuper OR rolbypassrls));
END
$role$;

-- As before, by the function above.
CREATE OR REPLACE FUNCTION latchkey_take_roles() RETURNS boolean LANGUAGE plpgsql AS $roles$
BEGIN
    RETURN latchkey_take_role('latchkey_app') AND latchkey_take_role('latchkey_operator');
END
$roles$;

-- Gives latchkey_writer its policies and rights where they are missing, and returns whether commits can use the role. Every start calls
-- it after latchkey_raise_wall(), so a table of a later migration is not forgotten.
CREATE FUNCTION latchkey_prepare_writer() RETURNS boolean LANGUAGE plpgsql AS $writer$
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
    -- Positions of the audit are counted for all tenants together. The writer may read that column and no other one.
    IF NOT EXISTS (SELECT FROM pg_policy p
                    WHERE p.polrelid = 'audit_records'::regclass AND p.polname = 'positions_of_all_tenants') THEN
        CREATE POLICY positions_of_all_tenants ON audit_records FOR SELECT TO latchkey_writer USING (true);
    END IF;
    IF NOT has_column_privilege('latchkey_writer', 'audit_records', 'position', 'SELECT') THEN
        GRANT SELECT (position) ON audit_records TO latchkey_writer;
    END IF;

    IF NOT has_schema_privilege('latchkey_writer', current_schema(), 'USAGE') THEN
        EXECUTE format('GRANT USAGE ON SCHEMA %I TO latchkey_writer', current_schema());
    END IF;
    -- Rows of tenants are never deleted: they reserve their names. Nothing of the audit is read, changed or deleted.
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
