-- Begins another history of the store, because a copy or a backup was written into it. Its number is a function, because no role of
-- one tenant reads a table of no tenant.
CREATE FUNCTION latchkey_begin_history() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE OR REPLACE FUNCTION latchkey_incarnation() RETURNS bigint LANGUAGE sql IMMUTABLE AS %L',
                   format('SELECT %s::bigint', hashtextextended(gen_random_uuid()::text, 0)));
END
$$;

SELECT latchkey_begin_history();

-- Positions of the log and transaction ids can be compared within one history only. A promotion begins a timeline, and the
-- last checkpoint still names the previous one for a while, so the timeline is that of the position at which the server writes.
-- A server that crashed may have lost its last transactions, and a copy has another database or another server.
CREATE FUNCTION latchkey_history() RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT hashtextextended(concat_ws('/', system_identifier, left(pg_walfile_name(pg_current_wal_lsn()), 8), pg_postmaster_start_time(),
                                      (SELECT oid FROM pg_database WHERE datname = current_database()), latchkey_incarnation()), 0)
      FROM pg_control_system()
$$;
