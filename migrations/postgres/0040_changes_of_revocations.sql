-- In which transaction a revocation was written last, so that a replica reads what is new to it. A trigger sets it, also for an earlier program.
ALTER TABLE revocations ADD COLUMN changed_in BIGINT NOT NULL DEFAULT 0;

CREATE FUNCTION latchkey_revocation_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.changed_in = pg_current_xact_id()::text::bigint;
    RETURN NEW;
END
$$;

CREATE TRIGGER revocations_changed BEFORE INSERT OR UPDATE ON revocations
    FOR EACH ROW EXECUTE FUNCTION latchkey_revocation_changed();

CREATE INDEX revocations_by_change ON revocations (tenant_id, changed_in);
