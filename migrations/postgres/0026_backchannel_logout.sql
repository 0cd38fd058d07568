-- Which clients a session has given a code, and the notices that are sent to them when it ends (OpenID Connect Back-Channel Logout 1.0).

-- The rows end by themselves, in a ring as that of sessions: a week is the unit, of which there are 16.
CREATE TABLE session_clients (
    tenant_id  text COLLATE "C" NOT NULL,
    slot       bigint           NOT NULL,
    session_id text COLLATE "C" NOT NULL,
    client_id  text COLLATE "C" NOT NULL,
    account_id text COLLATE "C" NOT NULL,
    expires_at bigint           NOT NULL,
    PRIMARY KEY (tenant_id, slot, session_id, client_id)
) PARTITION BY LIST (slot);

CREATE INDEX session_clients_by_session ON session_clients (tenant_id, session_id);
CREATE INDEX session_clients_by_expiry ON session_clients (expires_at);

CREATE TABLE logout_outbox (
    tenant_id       text COLLATE "C" NOT NULL,
    slot            bigint           NOT NULL,
    session_id      text COLLATE "C" NOT NULL,
    client_id       text COLLATE "C" NOT NULL,
    account_id      text COLLATE "C" NOT NULL,
    attempts        bigint           NOT NULL,
    next_attempt_at bigint           NOT NULL,
    expires_at      bigint           NOT NULL,
    PRIMARY KEY (tenant_id, slot, session_id, client_id)
) PARTITION BY LIST (slot);

CREATE INDEX logout_outbox_by_attempt ON logout_outbox (next_attempt_at);
CREATE INDEX logout_outbox_by_expiry ON logout_outbox (expires_at);

DO $rings$
DECLARE
    ring text;
BEGIN
    FOREACH ring IN ARRAY ARRAY['session_clients', 'logout_outbox'] LOOP
        FOR slot IN 0 .. 15 LOOP
            EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES IN (%s)', ring || '_' || slot, ring, slot);
        END LOOP;
    END LOOP;
END
$rings$;

-- As before, and the rights to the new tables. The replica that sends a notice acts for all tenants.
ALTER FUNCTION latchkey_raise_wall() RENAME TO latchkey_raise_wall_before_logout_outbox;

CREATE FUNCTION latchkey_raise_wall() RETURNS boolean LANGUAGE plpgsql AS $wall$
BEGIN
    IF NOT latchkey_raise_wall_before_logout_outbox() THEN
        RETURN false;
    END IF;
    PERFORM latchkey_grant(privilege, 'latchkey_app', ARRAY['session_clients', 'logout_outbox'])
       FROM unnest(ARRAY['SELECT', 'INSERT']) AS privilege;
    PERFORM latchkey_grant(privilege, 'latchkey_operator', ARRAY['session_clients', 'logout_outbox'])
       FROM unnest(ARRAY['SELECT', 'DELETE']) AS privilege;
    PERFORM latchkey_grant('UPDATE', 'latchkey_operator', ARRAY['logout_outbox']);
    PERFORM latchkey_grant('TRUNCATE', 'latchkey_operator', ARRAY[inhrelid::regclass::text])
       FROM pg_inherits WHERE inhparent IN ('session_clients'::regclass, 'logout_outbox'::regclass);
    RETURN true;
END
$wall$;

ALTER FUNCTION latchkey_prepare_writer() RENAME TO latchkey_prepare_writer_before_logout_outbox;

CREATE FUNCTION latchkey_prepare_writer() RETURNS boolean LANGUAGE plpgsql AS $writer$
BEGIN
    IF NOT latchkey_prepare_writer_before_logout_outbox() THEN
        RETURN false;
    END IF;
    PERFORM latchkey_grant(privilege, 'latchkey_writer', ARRAY['session_clients', 'logout_outbox'])
       FROM unnest(ARRAY['SELECT', 'DELETE']) AS privilege;
    RETURN true;
EXCEPTION
    WHEN insufficient_privilege THEN RETURN false;
END
$writer$;
