-- Whose grant, session or token it is: too many of one account become one row of that account. Null of all other kinds, of a client's own token,
-- and of rows that an earlier program writes.
ALTER TABLE revocations ADD COLUMN account_id text COLLATE "C";

CREATE INDEX revocations_by_account ON revocations (tenant_id, account_id, issued_until) WHERE account_id IS NOT NULL;

-- A client's own tokens are counted up to their limit, without those of people.
CREATE INDEX revocations_of_clients ON revocations (tenant_id, client_id) WHERE kind = 'token' AND account_id IS NULL;
