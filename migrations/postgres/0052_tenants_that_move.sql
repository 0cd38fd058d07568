-- A tenant that comes from another installation brings what its people hold, which requests alone have written until now.
ALTER FUNCTION latchkey_raise_wall() RENAME TO latchkey_raise_wall_before_tenants_that_move;

CREATE FUNCTION latchkey_raise_wall() RETURNS boolean LANGUAGE plpgsql AS $wall$
BEGIN
    IF NOT latchkey_raise_wall_before_tenants_that_move() THEN
        RETURN false;
    END IF;
    PERFORM latchkey_grant(privilege, 'latchkey_operator', ARRAY['consents', 'refresh_families', 'session_clients', 'sessions', 'used_identifiers'])
       FROM unnest(ARRAY['INSERT', 'UPDATE']) AS privilege;
    RETURN true;
END
$wall$;
