-- Notices are found by the client that they are for, so that those of one client are not read for those of another.
CREATE INDEX logout_outbox_by_address ON logout_outbox (tenant_id, client_id, next_attempt_at);
DROP INDEX logout_outbox_by_attempt;
