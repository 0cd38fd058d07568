-- Records of the audit are numbered within their tenant. Those that exist keep their positions, and the next
-- ones go on from the largest of the tenant.
-- SQLite takes back no UNIQUE, so the table is made anew.
CREATE TABLE new_audit_records (
    tenant_id         TEXT    NOT NULL,
    position          INTEGER NOT NULL,
    at                INTEGER NOT NULL,
    actor             TEXT    NOT NULL,
    action            TEXT    NOT NULL,
    subject           TEXT    NOT NULL,
    detail            TEXT    NOT NULL,
    source            TEXT,
    credential        TEXT,
    sender_constraint TEXT,
    PRIMARY KEY (tenant_id, position)
) STRICT, WITHOUT ROWID;

INSERT INTO new_audit_records (tenant_id, position, at, actor, action, subject, detail, source, credential, sender_constraint)
SELECT tenant_id, position, at, actor, action, subject, detail, source, credential, sender_constraint FROM audit_records;

DROP TABLE audit_records;
ALTER TABLE new_audit_records RENAME TO audit_records;

-- Across tenants records are in the order of their times. Those of one time are in the order of their
-- tenants.
CREATE INDEX audit_by_time ON audit_records (at, tenant_id, position);
CREATE INDEX audit_by_actor ON audit_records (actor, at, tenant_id, position);
CREATE INDEX audit_by_action ON audit_records (action, at, tenant_id, position);

-- Where in a tenant's list a time is.
CREATE INDEX audit_of_tenant_by_time ON audit_records (tenant_id, at, position);
