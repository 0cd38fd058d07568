-- In which transaction a change was logged. A reader asks for what its last snapshot did not see, so writers need no lock for the order
-- of positions. The default also writes it for an earlier program.
ALTER TABLE change_log ADD COLUMN changed_in bigint NOT NULL DEFAULT 0;
ALTER TABLE change_log ALTER COLUMN changed_in SET DEFAULT pg_current_xact_id()::text::bigint;

CREATE INDEX change_log_by_transaction ON change_log (changed_in);

-- Replicas of an earlier version read in the order of positions, and wait for a notification of each transaction. A transaction that
-- knows that none is running says so, and is spared the lock and the notification, both of which are one for all tenants.
CREATE OR REPLACE FUNCTION latchkey_log_lock() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('latchkey.log', true) IS DISTINCT FROM 'shared' THEN
        PERFORM pg_advisory_xact_lock(7810204517302011);
    END IF;
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION latchkey_log_tell() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('latchkey.log', true) IS DISTINCT FROM 'shared' THEN
        PERFORM pg_notify('latchkey_changes', '');
    END IF;
    RETURN NULL;
END
$$;

-- Executes statements one after another, in one message to the server: each with its rows ($1) and its time ($2). Ends with false after
-- the first that touched another number of rows than it must.
CREATE FUNCTION latchkey_execute(texts text[], given text[], at bigint[], required bigint[]) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    touched bigint;
BEGIN
    FOR nth IN 1 .. cardinality(texts) LOOP
        EXECUTE texts[nth] USING given[nth], at[nth];
        GET DIAGNOSTICS touched = ROW_COUNT;
        IF touched <> required[nth] THEN
            RETURN false;
        END IF;
    END LOOP;
    RETURN true;
END
$$;
