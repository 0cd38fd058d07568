-- What the life of a tenant's keys needs beside the keys: when to look at them, who looks, and who fetches them.

-- Of the modulus of new RSA keys.
ALTER TABLE tenants ADD COLUMN rsa_bits bigint NOT NULL DEFAULT 2048;

-- How long a key may wait, beyond its time, for verifiers that still have to fetch it; absent: not at all.
ALTER TABLE tenants ADD COLUMN hold_activation bigint;

-- When a tenant's keys are to be looked at, and for how long copies of its key set were kept under a former policy. Not in the
-- tenant's own row: it changes with the keys, and requests read the other one.
CREATE TABLE key_schedules (
    tenant_id          text COLLATE "C" NOT NULL PRIMARY KEY REFERENCES tenants (tenant_id),
    due_at             bigint,                        -- absent: nothing is planned
    earlier_jwks_age   bigint,                        -- max-age and stale-while-revalidate together
    earlier_jwks_until bigint,                        -- when the last such copy is gone
    CHECK ((earlier_jwks_age IS NULL) = (earlier_jwks_until IS NULL))
);

-- Cross-tenant work: keys that are due.
CREATE INDEX key_schedules_by_time ON key_schedules (due_at, tenant_id) WHERE due_at IS NOT NULL;

-- The longest lifetime that clients have of their own, without reading all clients of the tenant.
CREATE INDEX clients_by_lifetime ON clients (tenant_id, access_token_lifetime)
    WHERE access_token_lifetime IS NOT NULL AND retired_at IS NULL AND deleted_at IS NULL;

-- Of the platform, not of a tenant: which process does what only one should do. It has run out at this time, whoever holds it.
CREATE TABLE leases (
    name   text COLLATE "C" NOT NULL PRIMARY KEY,
    holder text COLLATE "C" NOT NULL,
    until  bigint NOT NULL
);

-- Which verifiers fetch a tenant's keys; of each tenant those that came last.
CREATE TABLE key_sightings (
    tenant_id     text COLLATE "C" NOT NULL REFERENCES tenants (tenant_id),
    verifier      text COLLATE "C" NOT NULL,
    last_fetch_at bigint NOT NULL,
    newest_key    bigint NOT NULL,                    -- its number; numbers grow
    PRIMARY KEY (tenant_id, verifier)
);

-- As before, with the new tables. A request that makes a tenant's first key says when that is looked at, and nothing else there.
CREATE OR REPLACE FUNCTION latchkey_raise_wall() RETURNS boolean LANGUAGE plpgsql AS $wall$
DECLARE
    role_name text;
    walled    regclass;
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
            IF NOT pg_has_role(current_user, role_name, 'MEMBER') THEN
                EXECUTE format('GRANT %I TO CURRENT_USER', role_name);
            END IF;
            EXECUTE format('SET LOCAL ROLE %I', role_name);
            SET LOCAL ROLE NONE;
        EXCEPTION
            WHEN unique_violation THEN NULL;
            WHEN insufficient_privilege THEN RETURN false;
        END;
    END LOOP;

    -- A role that passes through walls makes none.
    IF EXISTS (SELECT FROM pg_roles
                WHERE rolname IN ('latchkey_app', 'latchkey_operator') AND (rolsuper OR rolbypassrls)) THEN
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

-- Nobody has planned the keys that are already there: they are looked at as soon as possible. Behind the wall they are seen by
-- latchkey_operator only.
DO $rows$
BEGIN
    IF latchkey_raise_wall() THEN
        SET LOCAL ROLE latchkey_operator;
    END IF;
    INSERT INTO key_schedules (tenant_id, due_at) SELECT DISTINCT tenant_id, 0 FROM signing_keys;
    SET LOCAL ROLE NONE;
END
$rows$;
