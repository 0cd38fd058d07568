-- The public key, which outlives the private one: an ID token that a removed key signed is still a hint. Null of keys that are older than
-- this column, and of those that an earlier program adds.
ALTER TABLE signing_keys ADD COLUMN public_jwk text;
