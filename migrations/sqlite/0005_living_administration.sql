-- What many doors need that change the same rows: revisions, deletion in two steps, search, and what they remember.

-- Counted up by every commit that touches the tenant or anything in it. What was planned on one revision is written on that one.
ALTER TABLE tenants ADD COLUMN revision INTEGER NOT NULL DEFAULT 1;

-- Until then a deletion can be taken back; the tenant does not serve meanwhile.
ALTER TABLE tenants ADD COLUMN deletion_due_at INTEGER;

-- Cross-tenant work: deletions that are due.
CREATE INDEX tenants_by_deletion ON tenants (deletion_due_at) WHERE deletion_due_at IS NOT NULL;

-- What a generation was read from, sealed, for a rollback; kept of the latest ones.
ALTER TABLE generations ADD COLUMN sealed_sources BLOB;

-- From which address, where there is one.
ALTER TABLE audit_records ADD COLUMN source TEXT;

-- Cross-tenant work: what somebody did, where something was done, and what happened since. The newest come first.
CREATE INDEX audit_by_actor ON audit_records (actor, position);
CREATE INDEX audit_by_action ON audit_records (action, position);
CREATE INDEX audit_by_time ON audit_records (at, position);

-- The words of a tenant's id and name in lower case, as the program cuts them; none of deleted tenants. Search reads across
-- tenants, so the word comes first.
CREATE TABLE tenant_words (
    word      TEXT NOT NULL,
    tenant_id TEXT NOT NULL REFERENCES tenants (tenant_id),
    PRIMARY KEY (word, tenant_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX tenant_words_by_tenant ON tenant_words (tenant_id, word);

-- Audiences and resources that a client lists: who is touched by a new client or resource server of that name.
CREATE TABLE client_names (
    tenant_id TEXT NOT NULL,
    name      TEXT NOT NULL,
    client_id TEXT NOT NULL,
    PRIMARY KEY (tenant_id, name, client_id),
    FOREIGN KEY (tenant_id, client_id) REFERENCES clients (tenant_id, client_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX client_names_by_client ON client_names (tenant_id, client_id);

INSERT INTO client_names (tenant_id, name, client_id)
SELECT tenant_id, value, client_id FROM clients, json_each(audiences)
 UNION
SELECT tenant_id, value, client_id FROM clients, json_each(resources);

-- From where a secret was used; of each secret the latest addresses.
CREATE TABLE secret_uses (
    tenant_id    TEXT    NOT NULL,
    client_id    TEXT    NOT NULL,
    secret_id    TEXT    NOT NULL,
    address      TEXT    NOT NULL,
    last_used_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, client_id, secret_id, address),
    FOREIGN KEY (tenant_id, client_id, secret_id)
        REFERENCES client_secrets (tenant_id, client_id, secret_id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TABLE applications (
    tenant_id      TEXT    NOT NULL REFERENCES tenants (tenant_id),
    application_id TEXT    NOT NULL,
    position       INTEGER NOT NULL,                    -- in the order in which they were made
    name           TEXT    NOT NULL,
    client_id      TEXT,                                -- absent: without OAuth
    document       TEXT    NOT NULL,                    -- as it was sent, without any secret
    created_at     INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, application_id),
    UNIQUE (tenant_id, name),
    UNIQUE (tenant_id, position),
    FOREIGN KEY (tenant_id, client_id) REFERENCES clients (tenant_id, client_id)
) STRICT, WITHOUT ROWID;

-- What was answered to an idempotency key, sealed because it may hold a secret. No foreign key: what concerns no tenant that was
-- there is kept under the platform's, which need not be there either.
CREATE TABLE idempotent_answers (
    tenant_id  TEXT    NOT NULL,
    key        BLOB    NOT NULL,
    request    BLOB    NOT NULL,
    sealed     BLOB    NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX idempotent_answers_by_end ON idempotent_answers (expires_at);
