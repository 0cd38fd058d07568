-- What each tenant has revoked: whole groups of tokens by what they were issued for, and single tokens, until the last of them has expired.

-- kind is tenant, client, credential, key or token; client_id is empty where it is tenant or key, and name where it is tenant or client.
-- Tokens that were issued until the second issued_until are invalid.
CREATE TABLE revocations (
    tenant_id    text COLLATE "C" NOT NULL,
    kind         text COLLATE "C" NOT NULL,
    client_id    text COLLATE "C" NOT NULL,
    name         text COLLATE "C" NOT NULL,
    issued_until bigint           NOT NULL,
    expires_at   bigint           NOT NULL,
    PRIMARY KEY (tenant_id, kind, client_id, name)
);

CREATE INDEX revocations_by_expiry ON revocations (expires_at);

-- Replicas drop what they have cached of them. A replica of the version before logs a kind that it does not know and goes on.
ALTER TABLE change_log DROP CONSTRAINT change_log_kind_check,
                       ADD CONSTRAINT change_log_kind_check CHECK (kind IN ('tenant', 'client', 'keys', 'revocations'));

-- As before, and the rights to the new table: a request revokes a token of its tenant, and where there are too many, all of its client.
ALTER FUNCTION latchkey_raise_wall() RENAME TO latchkey_raise_wall_before_0016;

CREATE FUNCTION latchkey_raise_wall() RETURNS boolean LANGUAGE plpgsql AS $wall$
BEGIN
    IF NOT latchkey_raise_wall_before_0016() THEN
        RETURN false;
    END IF;
    PERFORM latchkey_grant(privilege, role_name, ARRAY['revocations'])
       FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS privilege,
            unnest(ARRAY['latchkey_app', 'latchkey_operator']) AS role_name;
    RETURN true;
END
$wall$;

-- The same for commits of one tenant.
ALTER FUNCTION latchkey_prepare_writer() RENAME TO latchkey_prepare_writer_before_0016;

CREATE FUNCTION latchkey_prepare_writer() RETURNS boolean LANGUAGE plpgsql AS $writer$
BEGIN
    IF NOT latchkey_prepare_writer_before_0016() THEN
        RETURN false;
    END IF;
    PERFORM latchkey_grant(privilege, 'latchkey_writer', ARRAY['revocations'])
       FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS privilege;
    RETURN true;
EXCEPTION
    WHEN insufficient_privilege THEN RETURN false;
END
$writer$;
