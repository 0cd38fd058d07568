-- What a copy says of a store: `unfinished` of its target, `moved` of its source. `store` is the other one. A store in use has no mark.
CREATE TABLE store_marks (
    name  text COLLATE "C" NOT NULL PRIMARY KEY,
    store text   NOT NULL,
    at    bigint NOT NULL
);

CREATE FUNCTION latchkey_refuse_write() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the store was moved to %', TG_ARGV[0] USING ERRCODE = 'read_only_sql_transaction';
END
$$;

-- The tables of the schema, or their partitions too.
CREATE FUNCTION latchkey_tables(with_partitions boolean) RETURNS SETOF regclass LANGUAGE sql STABLE AS $$
    SELECT oid::regclass
      FROM pg_class
     WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p')
       AND (with_partitions OR NOT relispartition) AND relname NOT IN ('_sqlx_migrations', 'store_marks')
     ORDER BY relname
$$;

-- Waits for the writes that are under way, and refuses all that come: every program's, whatever its version.
CREATE FUNCTION latchkey_refuse_writes(place text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    written regclass;
BEGIN
    FOR written IN SELECT latchkey_tables(true) LOOP
        EXECUTE format('LOCK TABLE ONLY %s IN SHARE ROW EXCLUSIVE MODE', written);
    END LOOP;
    FOR written IN SELECT latchkey_tables(true) LOOP
        EXECUTE format('CREATE OR REPLACE TRIGGER latchkey_moved BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON %s '
                       'FOR EACH STATEMENT EXECUTE FUNCTION latchkey_refuse_write(%L)', written, place);
    END LOOP;
END
$$;

CREATE FUNCTION latchkey_take_writes() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    written regclass;
BEGIN
    FOR written IN SELECT latchkey_tables(true) LOOP
        EXECUTE format('DROP TRIGGER IF EXISTS latchkey_moved ON %s', written);
    END LOOP;
END
$$;

-- Row level security is for tenants' requests. The owner of the tables, who copies a store, has it off for that transaction.
CREATE FUNCTION latchkey_force_wall(forced boolean) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    walled regclass;
BEGIN
    FOR walled IN SELECT oid FROM pg_class WHERE oid IN (SELECT latchkey_tables(true)) AND relrowsecurity LOOP
        EXECUTE format('ALTER TABLE %s %s ROW LEVEL SECURITY', walled, CASE WHEN forced THEN 'FORCE' ELSE 'NO FORCE' END);
    END LOOP;
END
$$;

-- As before, and the right to see the marks.
ALTER FUNCTION latchkey_raise_wall() RENAME TO latchkey_raise_wall_before_store_marks;

CREATE FUNCTION latchkey_raise_wall() RETURNS boolean LANGUAGE plpgsql AS $wall$
BEGIN
    IF NOT latchkey_raise_wall_before_store_marks() THEN
        RETURN false;
    END IF;
    PERFORM latchkey_grant('SELECT', 'latchkey_operator', ARRAY['store_marks']);
    RETURN true;
END
$wall$;
