-- Tenants, the names they speak under, and their audiences; and the wall between tenants.
--
-- Migrations are never edited once released. A column or table is first added, then used, and removed only when no released
-- program reads it any more: expand, then contract.
--
-- In every table that belongs to a tenant, tenant_id is part of the primary key and of every foreign key, so that no row can
-- hang on another tenant's. Times are seconds since 1970. A row stops serving by suspended_at (intent), retired_at (no longer
-- declared) or deleted_at (gone, kept only to reserve its id).
--
-- Names are compared byte by byte, whatever the database's collation.

CREATE TABLE tenants (
    tenant_id             text COLLATE "C" NOT NULL PRIMARY KEY,
    name                  text    NOT NULL,
    managed_by            text    NOT NULL CHECK (managed_by IN ('config', 'api')),
    created_at            bigint  NOT NULL,
    updated_at            bigint  NOT NULL,
    suspended_at          bigint,
    retired_at            bigint,
    deleted_at            bigint,
    keys_published_until  bigint,             -- while it does not serve: when its last token expires
    earlier_tokens_until  bigint,             -- when the last token under a former, longer lifetime expires
    fingerprint           bytea,              -- of the declaration that it agrees with
    oauth2_enabled        boolean NOT NULL,
    oidc_enabled          boolean NOT NULL,
    stale_if_error        bigint  NOT NULL,
    signing_algorithm     text    NOT NULL,
    rotate_every          bigint  NOT NULL,
    publish_before        bigint  NOT NULL,
    jwks_max_age          bigint  NOT NULL,
    jwks_stale            bigint  NOT NULL,
    skew                  bigint  NOT NULL,
    access_token_lifetime bigint  NOT NULL,
    access_token_format   text    NOT NULL,
    access_token_typ      text    NOT NULL,
    next_key              bigint  NOT NULL DEFAULT 1,   -- a counter: a kid is never given twice
    first_key_thumbprint  text                          -- of the key that was imported as the first
);

-- Cross-tenant work: what configuration manages.
CREATE INDEX tenants_by_manager ON tenants (managed_by);

-- `iss` values: position 0 is the issuer, the others are aliases. One value names one tenant on the whole platform, also while
-- that tenant is retired: its tokens may still be about.
CREATE TABLE tenant_issuers (
    tenant_id text COLLATE "C" NOT NULL REFERENCES tenants (tenant_id),
    position  bigint NOT NULL,
    issuer    text COLLATE "C" NOT NULL UNIQUE,
    PRIMARY KEY (tenant_id, position)
);

-- `typ` values of the past, accepted until the last token that bears them expires.
CREATE TABLE tenant_former_typs (
    tenant_id      text COLLATE "C" NOT NULL REFERENCES tenants (tenant_id),
    typ            text COLLATE "C" NOT NULL,
    accepted_until bigint NOT NULL,
    PRIMARY KEY (tenant_id, typ)
);

CREATE TABLE resource_servers (
    tenant_id             text COLLATE "C" NOT NULL REFERENCES tenants (tenant_id),
    audience              text COLLATE "C" NOT NULL,
    managed_by            text   NOT NULL CHECK (managed_by IN ('config', 'api')),
    created_at            bigint NOT NULL,
    updated_at            bigint NOT NULL,
    retired_at            bigint,
    deleted_at            bigint,
    scopes                text   NOT NULL,               -- separated by spaces, as on the wire
    introspection_clients text[] NOT NULL,
    PRIMARY KEY (tenant_id, audience)
);

-- The wall. Requests act as latchkey_app, which sees rows of the tenant in the setting latchkey.tenant only; what works across
-- tenants acts as latchkey_operator. Neither can log in: the program's login must be a member of both. Roles belong to the whole
-- cluster, so another database may have made them, even at this moment.
--
-- Builds the wall around every table that has a column tenant_id, where it does not stand yet, and says whether it stands
-- everywhere and the caller may act as both roles. Every start calls it: a table of a later migration is not forgotten, and an
-- administrator who makes the roles afterwards finds the wall raised. Without the right to make the roles it leaves the tables
-- to their owner.
CREATE FUNCTION latchkey_raise_wall() RETURNS boolean LANGUAGE plpgsql AS $wall$
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
    -- What a request reads, and the one thing that it writes: a tenant's first key, by taking its number.
    PERFORM latchkey_grant('SELECT', 'latchkey_app', ARRAY['tenants', 'tenant_issuers', 'tenant_former_typs',
                           'resource_servers', 'clients', 'client_secrets', 'signing_keys']);
    PERFORM latchkey_grant('INSERT', 'latchkey_app', ARRAY['signing_keys', 'change_log']);
    IF NOT has_column_privilege('latchkey_app', 'tenants', 'next_key', 'UPDATE') THEN
        GRANT UPDATE (next_key) ON tenants TO latchkey_app;
    END IF;
    PERFORM latchkey_grant(privilege, 'latchkey_operator', ARRAY['tenants', 'tenant_issuers', 'tenant_former_typs',
                           'resource_servers', 'clients', 'client_secrets', 'signing_keys', 'sealed_values',
                           'generations', 'change_log', 'audit_records'])
       FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS privilege;
    PERFORM latchkey_grant('SELECT', 'latchkey_operator', ARRAY['_sqlx_migrations']);
    RETURN true;
END
$wall$;

-- Only what is missing, so that a login that may use the roles but does not own the tables can start the program.
CREATE FUNCTION latchkey_grant(privilege text, role_name text, tables text[]) RETURNS void LANGUAGE plpgsql AS $grant$
DECLARE
    table_name text;
BEGIN
    FOREACH table_name IN ARRAY tables LOOP
        IF NOT has_table_privilege(role_name, table_name, privilege) THEN
            EXECUTE format('GRANT %s ON %I TO %I', privilege, table_name, role_name);
        END IF;
    END LOOP;
END
$grant$;
