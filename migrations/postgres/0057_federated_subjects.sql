-- By which subjects of which issuers clients are found, for requests that name no client: `place` is `=` and a subject, or `*` and the text of a
-- pattern before its first star, and `rules` has the rules of a client there. A beginning without `:` and `/` is the empty one. Triggers keep the
-- rows beside those of clients, also for programs of the version before.
CREATE TABLE federated_subjects (
    tenant_id text COLLATE "C" NOT NULL,
    issuer    text COLLATE "C" NOT NULL,
    place     text COLLATE "C" NOT NULL,
    client_id text COLLATE "C" NOT NULL,
    rules     text NOT NULL,
    PRIMARY KEY (tenant_id, issuer, place, client_id)
);

CREATE INDEX federated_subjects_of_client ON federated_subjects (tenant_id, client_id);

CREATE FUNCTION latchkey_index_subjects() RETURNS trigger LANGUAGE plpgsql AS $index$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        DELETE FROM federated_subjects WHERE tenant_id = OLD.tenant_id AND client_id = OLD.client_id;
    END IF;
    IF TG_OP <> 'DELETE' AND NEW.federated > '' AND NEW.deleted_at IS NULL THEN
        INSERT INTO federated_subjects (tenant_id, issuer, place, client_id, rules)
        SELECT NEW.tenant_id, left(issuer, 200), place, NEW.client_id, json_agg(json_build_array(issuer, subject))::text
          FROM (SELECT issuer, subject,
                       CASE WHEN strpos(subject, '*') = 0 THEN '=' || subject
                            WHEN strpos(beginning, ':') + strpos(beginning, '/') > 0 THEN '*' || beginning
                            ELSE '*' END AS place
                  FROM (SELECT rule ->> 'issuer' AS issuer, rule ->> 'subject' AS subject,
                               left(split_part(rule ->> 'subject', '*', 1), 255) AS beginning
                          FROM json_array_elements(NEW.federated::json) AS rule) AS rules) AS placed
         GROUP BY left(issuer, 200), place;
    END IF;
    RETURN NULL;
END
$index$;

CREATE TRIGGER federated_subjects_added AFTER INSERT ON clients
    FOR EACH ROW WHEN (NEW.federated > '') EXECUTE FUNCTION latchkey_index_subjects();
CREATE TRIGGER federated_subjects_changed AFTER UPDATE OF federated, deleted_at ON clients
    FOR EACH ROW WHEN (OLD.federated > '' OR NEW.federated > '') EXECUTE FUNCTION latchkey_index_subjects();
CREATE TRIGGER federated_subjects_deleted AFTER DELETE ON clients
    FOR EACH ROW WHEN (OLD.federated > '') EXECUTE FUNCTION latchkey_index_subjects();

-- As before, and the rights to the new table: a request reads the rows of its tenant.
ALTER FUNCTION latchkey_raise_wall() RENAME TO latchkey_raise_wall_before_federated_subjects;

CREATE FUNCTION latchkey_raise_wall() RETURNS boolean LANGUAGE plpgsql AS $wall$
BEGIN
    IF NOT latchkey_raise_wall_before_federated_subjects() THEN
        RETURN false;
    END IF;
    PERFORM latchkey_grant('SELECT', 'latchkey_app', ARRAY['federated_subjects']);
    PERFORM latchkey_grant(privilege, 'latchkey_operator', ARRAY['federated_subjects'])
       FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS privilege;
    RETURN true;
END
$wall$;

-- The same for commits of one tenant, which write its clients.
ALTER FUNCTION latchkey_prepare_writer() RENAME TO latchkey_prepare_writer_before_federated_subjects;

CREATE FUNCTION latchkey_prepare_writer() RETURNS boolean LANGUAGE plpgsql AS $writer$
BEGIN
    IF NOT latchkey_prepare_writer_before_federated_subjects() THEN
        RETURN false;
    END IF;
    PERFORM latchkey_grant(privilege, 'latchkey_writer', ARRAY['federated_subjects'])
       FROM unnest(ARRAY['SELECT', 'INSERT', 'DELETE']) AS privilege;
    RETURN true;
EXCEPTION
    WHEN insufficient_privilege THEN RETURN false;
END
$writer$;

-- Under row level security the rows are seen by latchkey_operator only, and a login that cannot act as that role is refused a moment later, which
-- takes all of this back.
DO $rows$
BEGIN
    IF latchkey_raise_wall() THEN
        SET LOCAL ROLE latchkey_operator;
    END IF;
    UPDATE clients SET federated = federated WHERE federated > '';
    SET LOCAL ROLE NONE;
END
$rows$;
