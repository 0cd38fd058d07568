-- Accounts of people, each of one tenant, and the identifiers that they sign in by.

-- claims is a JSON object. valid_from moves without a revision: an authentication before it proves nothing any more. A deleted row keeps its
-- id from being used again, and has nothing of the person.
CREATE TABLE accounts (
    tenant_id           text COLLATE "C" NOT NULL REFERENCES tenants,
    account_id          text COLLATE "C" NOT NULL,
    external_id         text COLLATE "C",
    claims              text             NOT NULL,
    group_names         text[]           NOT NULL,
    password_hash       text,
    password_changed_at bigint,
    declared_digest     bytea,
    valid_from          bigint           NOT NULL,
    managed_by          text             NOT NULL CHECK (managed_by IN ('config', 'api')),
    suspended_at        bigint,
    retired_at          bigint,
    deleted_at          bigint,
    created_at          bigint           NOT NULL,
    updated_at          bigint           NOT NULL,
    PRIMARY KEY (tenant_id, account_id)
);

CREATE UNIQUE INDEX accounts_by_external_id ON accounts (tenant_id, external_id) WHERE external_id IS NOT NULL;
CREATE INDEX accounts_by_creation ON accounts (tenant_id, created_at, account_id) WHERE deleted_at IS NULL;
CREATE INDEX accounts_of_files ON accounts (tenant_id, account_id) WHERE managed_by = 'config';

-- A value belongs to one account of its tenant.
CREATE TABLE account_identifiers (
    tenant_id   text COLLATE "C" NOT NULL,
    kind        text COLLATE "C" NOT NULL CHECK (kind IN ('email', 'username')),
    value       text COLLATE "C" NOT NULL,
    account_id  text COLLATE "C" NOT NULL,
    verified_at bigint,
    PRIMARY KEY (tenant_id, kind, value),
    FOREIGN KEY (tenant_id, account_id) REFERENCES accounts
);

CREATE INDEX account_identifiers_by_account ON account_identifiers (tenant_id, account_id);

-- Replicas drop what they have cached of an account. Its id is in account_id; a replica of the version before logs a kind that it does not
-- know and goes on.
ALTER TABLE change_log ADD COLUMN account_id text COLLATE "C",
                       DROP CONSTRAINT change_log_kind_check,
                       ADD CONSTRAINT change_log_kind_check
                           CHECK (kind IN ('tenant', 'client', 'keys', 'revocations', 'account'));

-- As before, and the rights to the new tables: a request reads the accounts of its tenant.
ALTER FUNCTION latchkey_raise_wall() RENAME TO latchkey_raise_wall_before_0021;

CREATE FUNCTION latchkey_raise_wall() RETURNS boolean LANGUAGE plpgsql AS $wall$
BEGIN
    IF NOT latchkey_raise_wall_before_0021() THEN
        RETURN false;
    END IF;
    PERFORM latchkey_grant('SELECT', 'latchkey_app', ARRAY['accounts', 'account_identifiers']);
    PERFORM latchkey_grant(privilege, 'latchkey_operator', ARRAY['accounts', 'account_identifiers'])
       FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS privilege;
    RETURN true;
END
$wall$;

-- The same for commits of one tenant.
ALTER FUNCTION latchkey_prepare_writer() RENAME TO latchkey_prepare_writer_before_0021;

CREATE FUNCTION latchkey_prepare_writer() RETURNS boolean LANGUAGE plpgsql AS $writer$
BEGIN
    IF NOT latchkey_prepare_writer_before_0021() THEN
        RETURN false;
    END IF;
    PERFORM latchkey_grant(privilege, 'latchkey_writer', ARRAY['accounts', 'account_identifiers'])
       FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS privilege;
    RETURN true;
EXCEPTION
    WHEN insufficient_privilege THEN RETURN false;
END
$writer$;
