-- What people's sign-ins leave behind: sessions, authorization codes, and what they have allowed.

-- How a client signs people in, as a document. What is left out of it has its default.
ALTER TABLE clients ADD COLUMN code_flow text NOT NULL DEFAULT '{}';

-- Rows that end by themselves lie in a ring of partitions: slot is (expires_at / unit) modulo the number of partitions, and the partitions
-- whose time is over are truncated. No request creates a partition, and no job deletes many rows. Nothing refers to these rows: whether
-- one is valid is decided at each read. Units: a week for sessions, 16 of them; a day for codes, 8 of them.

CREATE TABLE sessions (
    tenant_id        text COLLATE "C" NOT NULL,
    slot             bigint           NOT NULL,
    session_id       text COLLATE "C" NOT NULL,
    token_digest     bytea            NOT NULL,
    account_id       text COLLATE "C" NOT NULL,
    authenticated_at bigint           NOT NULL,
    acr              text             NOT NULL,
    amr              text[]           NOT NULL,
    created_at       bigint           NOT NULL,
    last_seen_at     bigint           NOT NULL,
    idle             bigint           NOT NULL,
    expires_at       bigint           NOT NULL,
    user_agent       text             NOT NULL,
    ended_at         bigint,
    PRIMARY KEY (tenant_id, slot, session_id)
) PARTITION BY LIST (slot);

CREATE INDEX sessions_by_account ON sessions (tenant_id, account_id);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);

-- A code is kept for a day after its end, so that a second use of it is noticed.
CREATE TABLE authorization_codes (
    tenant_id      text COLLATE "C" NOT NULL,
    slot           bigint           NOT NULL,
    code_digest    bytea            NOT NULL,
    client_id      text COLLATE "C" NOT NULL,
    account_id     text COLLATE "C" NOT NULL,
    session_slot   bigint           NOT NULL,
    session_id     text COLLATE "C" NOT NULL,
    redirect_uri   text             NOT NULL,
    code_challenge bytea,
    granted        text             NOT NULL,
    created_at     bigint           NOT NULL,
    valid_until    bigint           NOT NULL,
    expires_at     bigint           NOT NULL,
    redeemed_at    bigint,
    token_id       text COLLATE "C",
    token_until    bigint,
    PRIMARY KEY (tenant_id, slot, code_digest)
) PARTITION BY LIST (slot);

CREATE INDEX authorization_codes_by_expiry ON authorization_codes (expires_at);

-- What people have allowed clients.
CREATE TABLE consents (
    tenant_id  text COLLATE "C" NOT NULL,
    account_id text COLLATE "C" NOT NULL,
    client_id  text COLLATE "C" NOT NULL,
    scopes     text[]           NOT NULL,
    hosts      text[]           NOT NULL,
    granted_at bigint           NOT NULL,
    PRIMARY KEY (tenant_id, account_id, client_id)
);

DO $rings$
DECLARE
    ring record;
BEGIN
    FOR ring IN SELECT * FROM (VALUES ('sessions', 16), ('authorization_codes', 8)) AS rings (name, slots) LOOP
        FOR slot IN 0 .. ring.slots - 1 LOOP
            EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES IN (%s)', ring.name || '_' || slot, ring.name, slot);
        END LOOP;
    END LOOP;
END
$rings$;

-- As before, and the rights to the new tables: requests write the rows of their tenant, and the operator empties partitions.
ALTER FUNCTION latchkey_raise_wall() RENAME TO latchkey_raise_wall_before_0022;

CREATE FUNCTION latchkey_raise_wall() RETURNS boolean LANGUAGE plpgsql AS $wall$
BEGIN
    IF NOT latchkey_raise_wall_before_0022() THEN
        RETURN false;
    END IF;
    PERFORM latchkey_grant(privilege, 'latchkey_app', ARRAY['sessions', 'authorization_codes', 'consents'])
       FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE']) AS privilege;
    PERFORM latchkey_grant(privilege, 'latchkey_operator', ARRAY['sessions', 'authorization_codes'])
       FROM unnest(ARRAY['SELECT', 'DELETE']) AS privilege;
    PERFORM latchkey_grant('TRUNCATE', 'latchkey_operator', ARRAY[inhrelid::regclass::text])
       FROM pg_inherits WHERE inhparent IN ('sessions'::regclass, 'authorization_codes'::regclass);
    PERFORM latchkey_grant(privilege, 'latchkey_operator', ARRAY['consents'])
       FROM unnest(ARRAY['SELECT', 'DELETE']) AS privilege;
    RETURN true;
END
$wall$;

-- The same for commits of one tenant: deleting a tenant deletes what its people left behind.
ALTER FUNCTION latchkey_prepare_writer() RENAME TO latchkey_prepare_writer_before_0022;

CREATE FUNCTION latchkey_prepare_writer() RETURNS boolean LANGUAGE plpgsql AS $writer$
BEGIN
    IF NOT latchkey_prepare_writer_before_0022() THEN
        RETURN false;
    END IF;
    PERFORM latchkey_grant(privilege, 'latchkey_writer', ARRAY['sessions', 'authorization_codes', 'consents'])
       FROM unnest(ARRAY['SELECT', 'DELETE']) AS privilege;
    RETURN true;
EXCEPTION
    WHEN insufficient_privilege THEN RETURN false;
END
$writer$;
