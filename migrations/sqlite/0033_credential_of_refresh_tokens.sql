-- The tag of the credential for which the client got the first refresh token of the family, which ends with it. Null of public clients, and of
-- families that are older than this column, or that an earlier program begins.
ALTER TABLE refresh_families ADD COLUMN credential TEXT;
