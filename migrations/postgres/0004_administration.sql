-- What was applied, what changed, and who did it.

-- Configurations that were applied. The content is a keyed digest: a plain one would let whoever knows the files try weak secrets
-- of the environment against it. Numbered by the program, one after the other without gaps: only a sequence would leave some.
CREATE TABLE generations (
    number     bigint NOT NULL PRIMARY KEY,
    content    bytea  NOT NULL,
    applied_at bigint NOT NULL
);

CREATE INDEX generations_by_content ON generations (content);

-- What caches must forget, for the background task of each process. It reads across tenants, so the position alone is the key.
-- Whoever writes here takes latchkey_log_lock() first and keeps it until the end of the transaction: positions become visible in
-- their order, and who has read up to one has missed none before it. Rows older than a day are removed: no cache keeps anything
-- that long.
CREATE TABLE change_log (
    position   bigint NOT NULL GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind       text   NOT NULL CHECK (kind IN ('tenant', 'client', 'keys')),
    tenant_id  text COLLATE "C" NOT NULL,
    client_id  text,
    changed_at bigint NOT NULL
);

CREATE INDEX change_log_by_time ON change_log (changed_at);

-- Both in triggers, so that no writer can forget them: the first takes the lock before the first position is drawn, the second
-- wakes the other processes when the transaction is committed. What has changed they read here.
CREATE FUNCTION latchkey_log_lock() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(7810204517302011);
    RETURN NULL;
END
$$;

CREATE FUNCTION latchkey_log_tell() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('latchkey_changes', '');
    RETURN NULL;
END
$$;

CREATE TRIGGER change_log_lock BEFORE INSERT ON change_log
    FOR EACH STATEMENT EXECUTE FUNCTION latchkey_log_lock();

CREATE TRIGGER change_log_tell AFTER INSERT ON change_log
    FOR EACH STATEMENT EXECUTE FUNCTION latchkey_log_tell();

-- One row a change, written in its transaction; no foreign key, because a record outlives what it is about.
CREATE TABLE audit_records (
    tenant_id text COLLATE "C" NOT NULL,
    position  bigint NOT NULL UNIQUE,
    at        bigint NOT NULL,
    actor     text   NOT NULL,
    action    text   NOT NULL,
    subject   text   NOT NULL,
    detail    text   NOT NULL,
    PRIMARY KEY (tenant_id, position)
);
