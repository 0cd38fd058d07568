-- Who makes a role may not take it from PostgreSQL 16 on, only give it away: to itself too. Until now such a login was told from one
-- that has not been given the roles by its membership, which it has, and the wall stayed down.

-- Makes the roles where they are missing and says whether the caller may act as both. What it may do is tried rather than asked:
-- the question is another one in every version.
CREATE FUNCTION latchkey_take_roles() RETURNS boolean LANGUAGE plpgsql AS $roles$
DECLARE
    -- From 16 on a membership that is there keeps its options unless they are named; earlier ones know no options.
    options   text := CASE WHEN current_setting('server_version_num')::integer >= 160000 THEN 'WITH SET TRUE' ELSE '' END;
    role_name text;
BEGIN
    FOREACH role_name IN ARRAY ARRAY['latchkey_app', 'latchkey_operator'] LOOP
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
                -- Another database's program, on the same login, was granted it at this moment.
                WHEN unique_violation THEN NULL;
                WHEN insufficient_privilege THEN RETURN false;
            END;
        END;
    END LOOP;
    -- A role that passes through walls makes none.
    RETURN NOT EXISTS (SELECT FROM pg_roles
                        WHERE rolname IN ('latchkey_app', 'latchkey_operator') AND (rolsuper OR rolbypassrls));
END
$roles$;

-- As before, but for the roles.
CREATE OR REPLACE FUNCTION latchkey_raise_wall() RETURNS boolean LANGUAGE plpgsql AS $wall$
DECLARE
    walled regclass;
BEGIN
    IF NOT latchkey_take_roles() THEN
        RETURN false;
    END IF;

    FOR walled IN
        SELECT c.oid FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
         WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p')
           AND a.attname = 'tenant_id' AND NOT a.attisdropped AND NOT c.relforcerowsecurity
    LOOP
        EXECUTE format('CREATE POLICY of_one_tenant ON %s TO latchkey_app
                        USING (tenant_id = current_setting(''latchkey.tenant'', true))', walled);
        -- Not for the login, which is a member: what forgets to take a role sees nothing.
        EXECUTE format('CREATE POLICY of_all_tenants ON %s TO latchkey_operator
                        USING (current_user = ''latchkey_operator'')', walled);
        EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', walled);
    END LOOP;

    IF NOT (has_schema_privilege('latchkey_app', current_schema(), 'USAGE')
            AND has_schema_privilege('latchkey_operator', current_schema(), 'USAGE')) THEN
        EXECUTE format('GRANT USAGE ON SCHEMA %I TO latchkey_app, latchkey_operator', current_schema());
    END IF;
    -- What is read of one tenant, and the one thing that a request writes: a tenant's first key, by taking its number, and when
    -- the tenant's keys are looked at.
    PERFORM latchkey_grant('SELECT', 'latchkey_app', ARRAY['tenants', 'tenant_issuers', 'tenant_former_typs',
                           'resource_servers', 'clients', 'client_secrets', 'signing_keys', 'client_names',
                           'secret_uses', 'applications', 'idempotent_answers', 'audit_records', 'key_schedules',
                           'key_sightings']);
    PERFORM latchkey_grant('INSERT', 'latchkey_app', ARRAY['signing_keys', 'key_schedules', 'change_log']);
    IF NOT has_column_privilege('latchkey_app', 'tenants', 'next_key', 'UPDATE') THEN
        GRANT UPDATE (next_key) ON tenants TO latchkey_app;
    END IF;
    IF NOT has_column_privilege('latchkey_app', 'key_schedules', 'due_at', 'UPDATE') THEN
        GRANT UPDATE (due_at) ON key_schedules TO latchkey_app;
    END IF;
    PERFORM latchkey_grant(privilege, 'latchkey_operator', ARRAY['tenants', 'tenant_issuers', 'tenant_former_typs',
                           'resource_servers', 'clients', 'client_secrets', 'signing_keys', 'sealed_values',
                           'generations', 'change_log', 'audit_records', 'tenant_words', 'client_names',
                           'secret_uses', 'applications', 'idempotent_answers', 'key_schedules', 'leases',
                           'key_sightings'])
       FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS privilege;
    PERFORM latchkey_grant('SELECT', 'latchkey_operator', ARRAY['_sqlx_migrations']);
    RETURN true;
END
$wall$;
