-- API keys of clients. A key is found by its public name in its tenant.
CREATE TABLE api_keys (
    tenant_id   text COLLATE "C" NOT NULL,
    api_key_id  text COLLATE "C" NOT NULL,
    client_id   text COLLATE "C" NOT NULL,
    hash        text   NOT NULL,
    hint        text   NOT NULL,
    name        text   NOT NULL,
    labels      text[] NOT NULL,
    owner       text COLLATE "C",
    scopes      text   NOT NULL,
    audiences   text[] NOT NULL,
    created_at  bigint NOT NULL,
    updated_at  bigint NOT NULL,
    expires_at  bigint NOT NULL,
    revoked_at  bigint,
    replaced_by text COLLATE "C",
    -- Each change increments it. The revision of the tenant guards no key.
    revision    bigint NOT NULL,
    PRIMARY KEY (tenant_id, api_key_id),
    FOREIGN KEY (tenant_id, client_id) REFERENCES clients (tenant_id, client_id)
);

CREATE INDEX api_keys_in_order ON api_keys (tenant_id, created_at, api_key_id);
CREATE INDEX api_keys_of_client ON api_keys (tenant_id, client_id, created_at, api_key_id);
CREATE INDEX api_keys_of_owner ON api_keys (tenant_id, owner, created_at, api_key_id) WHERE owner IS NOT NULL;
CREATE INDEX live_api_keys ON api_keys (tenant_id, client_id, expires_at) WHERE revoked_at IS NULL;
CREATE INDEX api_keys_that_end ON api_keys (expires_at);
CREATE INDEX revoked_api_keys ON api_keys (revoked_at) WHERE revoked_at IS NOT NULL;

CREATE TABLE api_key_uses (
    tenant_id    text COLLATE "C" NOT NULL,
    api_key_id   text COLLATE "C" NOT NULL,
    address      text COLLATE "C" NOT NULL,
    last_used_at bigint NOT NULL,
    PRIMARY KEY (tenant_id, api_key_id, address),
    FOREIGN KEY (tenant_id, api_key_id) REFERENCES api_keys (tenant_id, api_key_id) ON DELETE CASCADE
);

ALTER TABLE change_log ADD COLUMN api_key_id text COLLATE "C",
                       DROP CONSTRAINT change_log_kind_check,
                       ADD CONSTRAINT change_log_kind_check
                           CHECK (kind IN ('tenant', 'client', 'keys', 'revocations', 'account', 'api_key'));

-- As before, and the rights to the new tables: a request reads the keys of its tenant.
ALTER FUNCTION latchkey_raise_wall() RENAME TO latchkey_raise_wall_before_api_keys;

CREATE FUNCTION latchkey_raise_wall() RETURNS boolean LANGUAGE plpgsql AS $wall$
BEGIN
    IF NOT latchkey_raise_wall_before_api_keys() THEN
        RETURN false;
    END IF;
    PERFORM latchkey_grant('SELECT', 'latchkey_app', ARRAY['api_keys', 'api_key_uses']);
    PERFORM latchkey_grant(privilege, 'latchkey_operator', ARRAY['api_keys', 'api_key_uses'])
       FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS privilege;
    RETURN true;
END
$wall$;

-- The same for commits of one tenant, which write its keys and delete those of a client with it.
ALTER FUNCTION latchkey_prepare_writer() RENAME TO latchkey_prepare_writer_before_api_keys;

CREATE FUNCTION latchkey_prepare_writer() RETURNS boolean LANGUAGE plpgsql AS $writer$
BEGIN
    IF NOT latchkey_prepare_writer_before_api_keys() THEN
        RETURN false;
    END IF;
    PERFORM latchkey_grant(privilege, 'latchkey_writer', ARRAY['api_keys'])
       FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS privilege;
    RETURN true;
EXCEPTION
    WHEN insufficient_privilege THEN RETURN false;
END
$writer$;
