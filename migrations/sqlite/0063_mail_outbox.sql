-- Mail to people: messages that wait for delivery, and for a month what became of them. The content is sealed, and deleted when the
-- message ends.

-- A task deletes expired rows.
CREATE TABLE mail_outbox (
    tenant_id       TEXT    NOT NULL,
    slot            INTEGER NOT NULL,
    mail_id         TEXT    NOT NULL,
    account_id      TEXT    NOT NULL,
    letter          TEXT    NOT NULL,
    sealed          BLOB    NOT NULL,
    created_at      INTEGER NOT NULL,
    deliver_by      INTEGER NOT NULL,
    attempts        INTEGER NOT NULL DEFAULT 0,
    -- NULL when the message has ended.
    next_attempt_at INTEGER,
    ended_at        INTEGER,
    outcome         TEXT,
    answer          TEXT    NOT NULL DEFAULT '',
    expires_at      INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, slot, mail_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX mail_outbox_due ON mail_outbox (tenant_id, next_attempt_at) WHERE ended_at IS NULL;
CREATE INDEX mail_outbox_of_account ON mail_outbox (tenant_id, account_id, created_at);
