-- Mail to people: messages that wait for delivery, and for a month what became of them. The content is sealed, and deleted when the
-- message ends.

-- The rows expire in a ring as those of sessions: a week is the unit, of which there are 16.
CREATE TABLE mail_outbox (
    tenant_id       text COLLATE "C" NOT NULL,
    slot            bigint           NOT NULL,
    mail_id         text COLLATE "C" NOT NULL,
    account_id      text COLLATE "C" NOT NULL,
    letter          text             NOT NULL,
    sealed          bytea            NOT NULL,
    created_at      bigint           NOT NULL,
    deliver_by      bigint           NOT NULL,
    attempts        bigint           NOT NULL DEFAULT 0,
    -- NULL when the message has ended.
    next_attempt_at bigint,
    ended_at        bigint,
    outcome         text,
    answer          text             NOT NULL DEFAULT '',
    expires_at      bigint           NOT NULL,
    PRIMARY KEY (tenant_id, slot, mail_id)
) PARTITION BY LIST (slot);

CREATE INDEX mail_outbox_due ON mail_outbox (tenant_id, next_attempt_at) WHERE ended_at IS NULL;
CREATE INDEX mail_outbox_of_account ON mail_outbox (tenant_id, account_id, created_at);
CREATE INDEX mail_outbox_by_expiry ON mail_outbox (expires_at);

DO $ring$
BEGIN
    FOR slot IN 0 .. 15 LOOP
        EXECUTE format('CREATE TABLE %I PARTITION OF mail_outbox FOR VALUES IN (%s)', 'mail_outbox_' || slot, slot);
    END LOOP;
END
$ring$;

-- As before, and the rights to the new table. A request adds messages of its tenant. The replica that sends a message acts for
-- all tenants.
ALTER FUNCTION latchkey_raise_wall() RENAME TO latchkey_raise_wall_before_mail_outbox;

CREATE FUNCTION latchkey_raise_wall() RETURNS boolean LANGUAGE plpgsql AS $wall$
BEGIN
    IF NOT latchkey_raise_wall_before_mail_outbox() THEN
        RETURN false;
    END IF;
    PERFORM latchkey_grant(privilege, 'latchkey_app', ARRAY['mail_outbox'])
       FROM unnest(ARRAY['SELECT', 'INSERT']) AS privilege;
    PERFORM latchkey_grant(privilege, 'latchkey_operator', ARRAY['mail_outbox'])
       FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS privilege;
    PERFORM latchkey_grant('TRUNCATE', 'latchkey_operator', ARRAY[inhrelid::regclass::text])
       FROM pg_inherits WHERE inhparent = 'mail_outbox'::regclass;
    RETURN true;
END
$wall$;

-- The same for commits of one tenant: a message and its audit record are written, and end, in one transaction.
ALTER FUNCTION latchkey_prepare_writer() RENAME TO latchkey_prepare_writer_before_mail_outbox;

CREATE FUNCTION latchkey_prepare_writer() RETURNS boolean LANGUAGE plpgsql AS $writer$
BEGIN
    IF NOT latchkey_prepare_writer_before_mail_outbox() THEN
        RETURN false;
    END IF;
    PERFORM latchkey_grant(privilege, 'latchkey_writer', ARRAY['mail_outbox'])
       FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS privilege;
    RETURN true;
EXCEPTION
    WHEN insufficient_privilege THEN RETURN false;
END
$writer$;
