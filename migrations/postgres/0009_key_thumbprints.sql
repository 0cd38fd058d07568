-- Which tenant a private key belongs to, by the RFC 7638 thumbprint of its public key. A key of two tenants would let a verifier that
-- checks only the signature take the tokens of one for those of the other.
--
-- A row is never deleted: verifiers may trust the key of a deleted tenant for as long as they like. It names the tenant and the public
-- key, and nothing else.
CREATE TABLE key_thumbprints (
    thumbprint text COLLATE "C" NOT NULL PRIMARY KEY,
    tenant_id  text COLLATE "C" NOT NULL REFERENCES tenants (tenant_id)
);

-- A trigger, so that a program of the version before, beside this one, claims the thumbprints of its new keys too. A tenant may have
-- the same key again; another tenant violates the primary key. The writer's role sees the rows of its own tenant only, which is enough
-- for the condition: the primary key holds for all rows, seen or not.
CREATE FUNCTION latchkey_claim_thumbprint() RETURNS trigger LANGUAGE plpgsql AS $claim$
BEGIN
    INSERT INTO key_thumbprints (thumbprint, tenant_id)
    SELECT NEW.thumbprint, NEW.tenant_id
     WHERE NOT EXISTS (SELECT FROM key_thumbprints
                        WHERE thumbprint = NEW.thumbprint AND tenant_id = NEW.tenant_id);
    RETURN NULL;
END
$claim$;

CREATE TRIGGER signing_keys_claim_thumbprint AFTER INSERT ON signing_keys
    FOR EACH ROW EXECUTE FUNCTION latchkey_claim_thumbprint();

-- As before, with the new table.
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
        -- Not for the login, which is a member: a session that takes no role sees nothing.
        EXECUTE format('CREATE POLICY of_all_tenants ON %s TO latchkey_operator
                        USING (current_user = ''latchkey_operator'')', walled);
        EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', walled);
    END LOOP;

    IF NOT (has_schema_privilege('latchkey_app', current_schema(), 'USAGE')
            AND has_schema_privilege('latchkey_operator', current_schema(), 'USAGE')) THEN
        EXECUTE format('GRANT USAGE ON SCHEMA %I TO latchkey_app, latchkey_operator', current_schema());
    END IF;
    -- What is read of one tenant, and the one thing that a request writes: a tenant's first key, with its number, its thumbprint
    -- and the time of its next check.
    PERFORM latchkey_grant('SELECT', 'latchkey_app', ARRAY['tenants', 'tenant_issuers', 'tenant_former_typs',
                           'resource_servers', 'clients', 'client_secrets', 'signing_keys', 'client_names',
                           'secret_uses', 'applications', 'idempotent_answers', 'audit_records', 'key_schedules',
                           'key_sightings', 'key_thumbprints']);
    PERFORM latchkey_grant('INSERT', 'latchkey_app', ARRAY['signing_keys', 'key_schedules', 'key_thumbprints',
                           'change_log']);
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
    -- A thumbprint stays claimed.
    PERFORM latchkey_grant(privilege, 'latchkey_operator', ARRAY['key_thumbprints'])
       FROM unnest(ARRAY['SELECT', 'INSERT']) AS privilege;
    PERFORM latchkey_grant('SELECT', 'latchkey_operator', ARRAY['_sqlx_migrations']);
    RETURN true;
END
$wall$;

-- Keys that exist already stay where they are, also where two tenants have the same one: the tenant that had it first owns it. The
-- keys of a deleted tenant are gone; its first key is still known. Under row level security latchkey_operator alone sees the rows.
DO $rows$
BEGIN
    IF latchkey_raise_wall() THEN
        SET LOCAL ROLE latchkey_operator;
    END IF;
    INSERT INTO key_thumbprints (thumbprint, tenant_id)
    SELECT thumbprint, tenant_id
      FROM (SELECT thumbprint, tenant_id, announced_at AS since FROM signing_keys
             UNION ALL
            SELECT first_key_thumbprint, tenant_id, created_at FROM tenants
             WHERE first_key_thumbprint IS NOT NULL) AS known
     ORDER BY since, tenant_id
        ON CONFLICT (thumbprint) DO NOTHING;
    SET LOCAL ROLE NONE;
END
$rows$;
