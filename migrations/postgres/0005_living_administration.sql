-- What many doors need that change the same rows: revisions, deletion in two steps, search, and what they remember.

-- Counted up by every commit that touches the tenant or anything in it. What was planned on one revision is written on that one.
ALTER TABLE tenants ADD COLUMN revision bigint NOT NULL DEFAULT 1;

-- Until then a deletion can be taken back; the tenant does not serve meanwhile.
ALTER TABLE tenants ADD COLUMN deletion_due_at bigint;

-- Cross-tenant work: deletions that are due.
CREATE INDEX tenants_by_deletion ON tenants (deletion_due_at) WHERE deletion_due_at IS NOT NULL;

-- What a generation was read from, sealed, for a rollback; kept of the latest ones.
ALTER TABLE generations ADD COLUMN sealed_sources bytea;

-- From which address, where there is one. Who lists the newest first reads the keys backwards: (tenant_id, position) for a tenant,
-- position for the platform.
ALTER TABLE audit_records ADD COLUMN source text;

-- The words of a tenant's id and name in lower case, as the program cuts them; none of deleted tenants. Search reads across
-- tenants, so the word comes first.
CREATE TABLE tenant_words (
    word      text COLLATE "C" NOT NULL,
    tenant_id text COLLATE "C" NOT NULL REFERENCES tenants (tenant_id),
    PRIMARY KEY (word, tenant_id)
);

CREATE INDEX tenant_words_by_tenant ON tenant_words (tenant_id, word);

-- Audiences and resources that a client lists: who is touched by a new client or resource server of that name.
CREATE TABLE client_names (
    tenant_id text COLLATE "C" NOT NULL,
    name      text COLLATE "C" NOT NULL,
    client_id text COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant_id, name, client_id),
    FOREIGN KEY (tenant_id, client_id) REFERENCES clients (tenant_id, client_id)
);

CREATE INDEX client_names_by_client ON client_names (tenant_id, client_id);

-- From where a secret was used; of each secret the latest addresses.
CREATE TABLE secret_uses (
    tenant_id    text COLLATE "C" NOT NULL,
    client_id    text COLLATE "C" NOT NULL,
    secret_id    text COLLATE "C" NOT NULL,
    address      text COLLATE "C" NOT NULL,
    last_used_at bigint NOT NULL,
    PRIMARY KEY (tenant_id, client_id, secret_id, address),
    FOREIGN KEY (tenant_id, client_id, secret_id)
        REFERENCES client_secrets (tenant_id, client_id, secret_id) ON DELETE CASCADE
);

CREATE TABLE applications (
    tenant_id      text COLLATE "C" NOT NULL REFERENCES tenants (tenant_id),
    application_id text COLLATE "C" NOT NULL,
    position       bigint NOT NULL GENERATED ALWAYS AS IDENTITY,   -- in the order in which they were made
    name           text COLLATE "C" NOT NULL,
    client_id      text COLLATE "C",                 -- absent: without OAuth
    document       text   NOT NULL,                -- as it was sent, without any secret
    created_at     bigint NOT NULL,
    PRIMARY KEY (tenant_id, application_id),
    UNIQUE (tenant_id, name),
    UNIQUE (tenant_id, position),
    FOREIGN KEY (tenant_id, client_id) REFERENCES clients (tenant_id, client_id)
);

-- What was answered to an idempotency key, sealed because it may hold a secret. No foreign key: what concerns no tenant that was
-- there is kept under the platform's, which need not be there either.
CREATE TABLE idempotent_answers (
    tenant_id  text COLLATE "C" NOT NULL,
    key        bytea  NOT NULL,
    request    bytea  NOT NULL,
    sealed     bytea  NOT NULL,
    expires_at bigint NOT NULL,
    PRIMARY KEY (tenant_id, key)
);

CREATE INDEX idempotent_answers_by_end ON idempotent_answers (expires_at);

-- As before, with the new tables. What a tenant's own administrator reads is read as latchkey_app too.
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
    -- What is read of one tenant, and the one thing that a request writes: a tenant's first key, by taking its number.
    PERFORM latchkey_grant('SELECT', 'latchkey_app', ARRAY['tenants', 'tenant_issuers', 'tenant_former_typs',
                           'resource_servers', 'clients', 'client_secrets', 'signing_keys', 'client_names',
                           'secret_uses', 'applications', 'idempotent_answers', 'audit_records']);
    PERFORM latchkey_grant('INSERT', 'latchkey_app', ARRAY['signing_keys', 'change_log']);
    IF NOT has_column_privilege('latchkey_app', 'tenants', 'next_key', 'UPDATE') THEN
        GRANT UPDATE (next_key) ON tenants TO latchkey_app;
    END IF;
    PERFORM latchkey_grant(privilege, 'latchkey_operator', ARRAY['tenants', 'tenant_issuers', 'tenant_former_typs',
                           'resource_servers', 'clients', 'client_secrets', 'signing_keys', 'sealed_values',
                           'generations', 'change_log', 'audit_records', 'tenant_words', 'client_names',
                           'secret_uses', 'applications', 'idempotent_answers'])
       FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS privilege;
    PERFORM latchkey_grant('SELECT', 'latchkey_operator', ARRAY['_sqlx_migrations']);
    RETURN true;
END
$wall$;

-- Words and names of the rows that are already there; words are split at what is no letter or digit of ASCII, and the program, which
-- knows the others too, writes them anew when a tenant is renamed. Behind the wall the rows are seen by latchkey_operator only, and
-- a login that cannot act as that role is refused a moment later, which takes all of this back.
DO $rows$
BEGIN
    IF latchkey_raise_wall() THEN
        SET LOCAL ROLE latchkey_operator;
    END IF;
    INSERT INTO tenant_words (word, tenant_id)
    SELECT DISTINCT found.word, t.tenant_id
      FROM tenants t,
           regexp_split_to_table(lower(t.tenant_id || ' ' || t.name), '[\x01-\x2f\x3a-\x60\x7b-\x7f]+') AS found (word)
     WHERE t.deleted_at IS NULL AND found.word <> '';
    INSERT INTO client_names (tenant_id, name, client_id)
    SELECT DISTINCT c.tenant_id, listed.name, c.client_id
      FROM clients c, unnest(c.audiences || c.resources) AS listed (name);
    SET LOCAL ROLE NONE;
END
$rows$;
