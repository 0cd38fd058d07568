-- What happened in a day, by hour. A row without a client is of the whole tenant. Days are counted from 1970-01-01 UTC. A slot is the day's
-- place in a ring of 400 days for tenants and of 35 for clients: a new day takes the row of the day that left the ring.
CREATE TABLE usage_days (
    tenant_id text COLLATE "C" NOT NULL,
    client_id text COLLATE "C" NOT NULL,
    counter   text COLLATE "C" NOT NULL,
    -- The reason of refusals, and the scope that was asked for; empty for other counters.
    name      text COLLATE "C" NOT NULL,
    slot      bigint NOT NULL,
    day       bigint NOT NULL,
    total     bigint NOT NULL,
    h00 bigint NOT NULL, h01 bigint NOT NULL, h02 bigint NOT NULL, h03 bigint NOT NULL,
    h04 bigint NOT NULL, h05 bigint NOT NULL, h06 bigint NOT NULL, h07 bigint NOT NULL,
    h08 bigint NOT NULL, h09 bigint NOT NULL, h10 bigint NOT NULL, h11 bigint NOT NULL,
    h12 bigint NOT NULL, h13 bigint NOT NULL, h14 bigint NOT NULL, h15 bigint NOT NULL,
    h16 bigint NOT NULL, h17 bigint NOT NULL, h18 bigint NOT NULL, h19 bigint NOT NULL,
    h20 bigint NOT NULL, h21 bigint NOT NULL, h22 bigint NOT NULL, h23 bigint NOT NULL,
    PRIMARY KEY (tenant_id, client_id, counter, name, slot)
);

CREATE INDEX usage_of_tenants ON usage_days (day) WHERE client_id = '';

-- The last batch that each replica has added.
CREATE TABLE usage_batches (
    replica  text COLLATE "C" NOT NULL PRIMARY KEY,
    number   bigint NOT NULL,
    added_at bigint NOT NULL
);

-- The last refused requests of each tenant.
CREATE TABLE refusals (
    tenant_id   text COLLATE "C" NOT NULL,
    at          bigint NOT NULL,
    request_id  text COLLATE "C" NOT NULL,
    route       text COLLATE "C" NOT NULL,
    status      bigint NOT NULL,
    error       text COLLATE "C" NOT NULL,
    reason      text COLLATE "C" NOT NULL,
    client_id   text COLLATE "C",
    is_proven   boolean NOT NULL,
    auth_method text COLLATE "C" NOT NULL,
    scope       text COLLATE "C" NOT NULL,
    source      text COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant_id, at, request_id)
);

-- A reported credential is looked for by what is public of it.
CREATE INDEX client_secrets_by_hint ON client_secrets (hint) WHERE hint <> '';
CREATE INDEX api_keys_by_name ON api_keys (api_key_id);

-- As before, and the rights to the new tables: a request reads the counts and refusals of its tenant.
ALTER FUNCTION latchkey_raise_wall() RENAME TO latchkey_raise_wall_before_usage;

CREATE FUNCTION latchkey_raise_wall() RETURNS boolean LANGUAGE plpgsql AS $wall$
BEGIN
    IF NOT latchkey_raise_wall_before_usage() THEN
        RETURN false;
    END IF;
    PERFORM latchkey_grant('SELECT', 'latchkey_app', ARRAY['usage_days', 'refusals']);
    PERFORM latchkey_grant(privilege, 'latchkey_operator', ARRAY['usage_days', 'usage_batches', 'refusals'])
       FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS privilege;
    RETURN true;
END
$wall$;

-- The same for commits of one tenant, which delete its counts and refusals with it.
ALTER FUNCTION latchkey_prepare_writer() RENAME TO latchkey_prepare_writer_before_usage;

CREATE FUNCTION latchkey_prepare_writer() RETURNS boolean LANGUAGE plpgsql AS $writer$
BEGIN
    IF NOT latchkey_prepare_writer_before_usage() THEN
        RETURN false;
    END IF;
    PERFORM latchkey_grant(privilege, 'latchkey_writer', ARRAY['usage_days', 'refusals'])
       FROM unnest(ARRAY['SELECT', 'DELETE']) AS privilege;
    RETURN true;
EXCEPTION
    WHEN insufficient_privilege THEN RETURN false;
END
$writer$;
