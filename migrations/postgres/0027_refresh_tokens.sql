-- Refresh tokens, and how long they live.

-- The policy of a tenant, as a document. What is left out of it has its default.
ALTER TABLE tenants ADD COLUMN refresh_token text NOT NULL DEFAULT '{}';

-- One row for all the refresh tokens that follow from one grant: a token has the family, its secret and its generation, and the next one is
-- computed from it. The rows lie in a ring of partitions as those of sessions do: units of 30 days, 20 of them. The family comes before
-- the slot in the key, so that a grant is ended without its slot. The columns token_id and token_until of authorization_codes are not
-- written any more: a second use of a code ends its grant.
CREATE TABLE refresh_families (
    tenant_id     text COLLATE "C" NOT NULL,
    slot          bigint           NOT NULL,
    family_id     text COLLATE "C" NOT NULL,
    client_id     text COLLATE "C" NOT NULL,
    account_id    text COLLATE "C" NOT NULL,
    session_id    text COLLATE "C",
    session_slot  bigint,
    secret_digest bytea            NOT NULL,
    generation    bigint           NOT NULL,
    rotated_at    bigint           NOT NULL,
    dpop_key      bytea,
    certificate   bytea,
    granted       text             NOT NULL,
    created_at    bigint           NOT NULL,
    idle_until    bigint           NOT NULL,
    expires_at    bigint           NOT NULL,
    ended_at      bigint,
    PRIMARY KEY (tenant_id, family_id, slot)
) PARTITION BY LIST (slot);

CREATE INDEX refresh_families_by_session ON refresh_families (tenant_id, session_id);
CREATE INDEX refresh_families_by_account ON refresh_families (tenant_id, account_id);
CREATE INDEX refresh_families_by_expiry ON refresh_families (expires_at);

DO $ring$
BEGIN
    FOR slot IN 0 .. 19 LOOP
        EXECUTE format('CREATE TABLE refresh_families_%s PARTITION OF refresh_families FOR VALUES IN (%s)', slot, slot);
    END LOOP;
END
$ring$;

-- As before, and the rights to the new table: requests write the rows of their tenant, and the operator empties partitions.
ALTER FUNCTION latchkey_raise_wall() RENAME TO latchkey_raise_wall_before_0027;

CREATE FUNCTION latchkey_raise_wall() RETURNS boolean LANGUAGE plpgsql AS $wall$
BEGIN
    IF NOT latchkey_raise_wall_before_0027() THEN
        RETURN false;
    END IF;
    PERFORM latchkey_grant(privilege, 'latchkey_app', ARRAY['refresh_families'])
       FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE']) AS privilege;
    PERFORM latchkey_grant(privilege, 'latchkey_operator', ARRAY['refresh_families'])
       FROM unnest(ARRAY['SELECT', 'DELETE']) AS privilege;
    PERFORM latchkey_grant('TRUNCATE', 'latchkey_operator', ARRAY[inhrelid::regclass::text])
       FROM pg_inherits WHERE inhparent = 'refresh_families'::regclass;
    PERFORM latchkey_grant('INSERT', 'latchkey_operator', ARRAY['logout_outbox']);
    RETURN true;
END
$wall$;

-- The same for commits of one tenant: deleting a tenant deletes its refresh tokens, and ending sessions queues what their clients are told.
ALTER FUNCTION latchkey_prepare_writer() RENAME TO latchkey_prepare_writer_before_0027;

CREATE FUNCTION latchkey_prepare_writer() RETURNS boolean LANGUAGE plpgsql AS $writer$
BEGIN
    IF NOT latchkey_prepare_writer_before_0027() THEN
        RETURN false;
    END IF;
    PERFORM latchkey_grant(privilege, 'latchkey_writer', ARRAY['refresh_families'])
       FROM unnest(ARRAY['SELECT', 'DELETE']) AS privilege;
    PERFORM latchkey_grant('INSERT', 'latchkey_writer', ARRAY['logout_outbox']);
    RETURN true;
EXCEPTION
    WHEN insufficient_privilege THEN RETURN false;
END
$writer$;
