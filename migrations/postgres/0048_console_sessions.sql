-- Sessions of the console, and links that wait for their exchange.
CREATE TABLE console_sessions (
    tenant_id    text COLLATE "C" NOT NULL,
    session_id   text COLLATE "C" NOT NULL,
    token_digest bytea   NOT NULL,
    is_link      boolean NOT NULL,
    -- A document: for whom it acts.
    holder       text    NOT NULL,
    actor        text COLLATE "C" NOT NULL,
    proven_at    bigint  NOT NULL,
    last_seen_at bigint  NOT NULL,
    expires_at   bigint  NOT NULL,
    PRIMARY KEY (tenant_id, session_id)
);

CREATE INDEX console_sessions_of_actor ON console_sessions (tenant_id, actor, proven_at);

-- As before, and the rights to the new table: a request writes the sessions of its tenant.
ALTER FUNCTION latchkey_raise_wall() RENAME TO latchkey_raise_wall_before_console_sessions;

CREATE FUNCTION latchkey_raise_wall() RETURNS boolean LANGUAGE plpgsql AS $wall$
BEGIN
    IF NOT latchkey_raise_wall_before_console_sessions() THEN
        RETURN false;
    END IF;
    PERFORM latchkey_grant(privilege, role_name, ARRAY['console_sessions'])
       FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS privilege,
            unnest(ARRAY['latchkey_app', 'latchkey_operator']) AS role_name;
    RETURN true;
END
$wall$;

-- The same for commits of one tenant, which delete its sessions with it.
ALTER FUNCTION latchkey_prepare_writer() RENAME TO latchkey_prepare_writer_before_console_sessions;

CREATE FUNCTION latchkey_prepare_writer() RETURNS boolean LANGUAGE plpgsql AS $writer$
BEGIN
    IF NOT latchkey_prepare_writer_before_console_sessions() THEN
        RETURN false;
    END IF;
    PERFORM latchkey_grant(privilege, 'latchkey_writer', ARRAY['console_sessions'])
       FROM unnest(ARRAY['SELECT', 'DELETE']) AS privilege;
    RETURN true;
EXCEPTION
    WHEN insufficient_privilege THEN RETURN false;
END
$writer$;
