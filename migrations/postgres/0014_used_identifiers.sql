-- Identifiers that may be used once, such as the jti of an assertion, until what they identify has expired.

-- No reference to tenants: a row ends by itself within hours, and checking one would lock a row of another table for each assertion.
CREATE TABLE used_identifiers (
    tenant_id  text COLLATE "C" NOT NULL,
    digest     bytea            NOT NULL,
    expires_at bigint           NOT NULL,
    PRIMARY KEY (tenant_id, digest)
);

CREATE INDEX used_identifiers_by_expiry ON used_identifiers (expires_at);

-- As before, and the rights to the new table: a request inserts a row of its tenant, and expired ones are deleted across tenants.
ALTER FUNCTION latchkey_raise_wall() RENAME TO latchkey_raise_wall_before_0014;

CREATE FUNCTION latchkey_raise_wall() RETURNS boolean LANGUAGE plpgsql AS $wall$
BEGIN
    IF NOT latchkey_raise_wall_before_0014() THEN
        RETURN false;
    END IF;
    PERFORM latchkey_grant(privilege, 'latchkey_app', ARRAY['used_identifiers'])
       FROM unnest(ARRAY['SELECT', 'INSERT']) AS privilege;
    PERFORM latchkey_grant(privilege, 'latchkey_operator', ARRAY['used_identifiers'])
       FROM unnest(ARRAY['SELECT', 'DELETE']) AS privilege;
    RETURN true;
END
$wall$;
