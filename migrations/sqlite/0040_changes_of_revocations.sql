-- After how many changes a revocation was written last, so that a reader reads what is new to it: the next position of the log of changes, which
-- never goes back.
ALTER TABLE revocations ADD COLUMN changed_in INTEGER NOT NULL DEFAULT 0;

CREATE TRIGGER revocations_added AFTER INSERT ON revocations BEGIN
    UPDATE revocations
       SET changed_in = (SELECT COALESCE(MAX(seq), 0) + 1 FROM sqlite_sequence WHERE name = 'change_log')
     WHERE tenant_id = NEW.tenant_id AND kind = NEW.kind AND client_id = NEW.client_id AND name = NEW.name;
END;

CREATE TRIGGER revocations_changed AFTER UPDATE OF issued_until, expires_at ON revocations BEGIN
    UPDATE revocations
       SET changed_in = (SELECT COALESCE(MAX(seq), 0) + 1 FROM sqlite_sequence WHERE name = 'change_log')
     WHERE tenant_id = NEW.tenant_id AND kind = NEW.kind AND client_id = NEW.client_id AND name = NEW.name;
END;

CREATE INDEX revocations_by_change ON revocations (tenant_id, changed_in);
