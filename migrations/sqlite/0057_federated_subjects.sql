-- By which subjects of which issuers clients are found, for requests that name no client: `place` is `=` and a subject, or `*` and the text of a
-- pattern before its first star, and `rules` has the rules of a client there. A beginning without `:` and `/` is the empty one. Triggers keep the
-- rows beside those of clients, also for programs of the version before.
CREATE TABLE federated_subjects (
    tenant_id TEXT NOT NULL,
    issuer    TEXT NOT NULL,
    place     TEXT NOT NULL,
    client_id TEXT NOT NULL,
    rules     TEXT NOT NULL,
    PRIMARY KEY (tenant_id, issuer, place, client_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX federated_subjects_of_client ON federated_subjects (tenant_id, client_id);

CREATE TRIGGER federated_subjects_changed AFTER UPDATE OF federated, deleted_at ON clients
WHEN OLD.federated > '' OR NEW.federated > '' BEGIN
    DELETE FROM federated_subjects WHERE tenant_id = OLD.tenant_id AND client_id = OLD.client_id;
    INSERT INTO federated_subjects (tenant_id, issuer, place, client_id, rules)
    SELECT NEW.tenant_id, substr(issuer, 1, 200), place, NEW.client_id, json_group_array(json_array(issuer, subject))
      FROM (SELECT issuer, subject,
                   CASE WHEN instr(subject, '*') = 0 THEN '=' || subject
                        WHEN instr(beginning, ':') + instr(beginning, '/') > 0 THEN '*' || beginning
                        ELSE '*' END AS place
              FROM (SELECT rule.value ->> 'issuer' AS issuer, rule.value ->> 'subject' AS subject,
                           substr(rule.value ->> 'subject', 1, min(255, max(0, instr(rule.value ->> 'subject', '*') - 1))) AS beginning
                      FROM json_each(CASE WHEN NEW.federated > '' AND NEW.deleted_at IS NULL THEN NEW.federated ELSE '[]' END) AS rule))
     GROUP BY substr(issuer, 1, 200), place;
END;

CREATE TRIGGER federated_subjects_added AFTER INSERT ON clients WHEN NEW.federated > '' BEGIN
    UPDATE clients SET federated = federated WHERE tenant_id = NEW.tenant_id AND client_id = NEW.client_id;
END;

CREATE TRIGGER federated_subjects_deleted AFTER DELETE ON clients WHEN OLD.federated > '' BEGIN
    DELETE FROM federated_subjects WHERE tenant_id = OLD.tenant_id AND client_id = OLD.client_id;
END;

UPDATE clients SET federated = federated WHERE federated > '';
