-- How many codes a session gave a client in the minute that began then: the limit is in the statement that notes the client.
ALTER TABLE session_clients ADD COLUMN codes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE session_clients ADD COLUMN codes_since INTEGER NOT NULL DEFAULT 0;

-- The aggregated address that pushed a request, and when its page was opened first. Null in rows of an earlier program, whose requests are kept as
-- long as if their pages were open.
ALTER TABLE pushed_requests ADD COLUMN pushed_from TEXT;
ALTER TABLE pushed_requests ADD COLUMN opened_at INTEGER;
DROP INDEX pushed_requests_by_client;
CREATE INDEX pushed_requests_by_client ON pushed_requests (tenant_id, client_id, valid_until, pushed_from) WHERE used_at IS NULL;
