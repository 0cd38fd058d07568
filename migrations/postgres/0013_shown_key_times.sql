-- When a revocation happened. Its command sets the times of the keys back by the skew, so that they are past on every clock; people are
-- shown these instants in their place, where they differ.

-- An earlier program does not name the columns: what it writes leaves them as they are, and what it revokes is shown as before.
ALTER TABLE signing_keys ADD COLUMN shown_announced_at  bigint,
                         ADD COLUMN shown_active_from   bigint,
                         ADD COLUMN shown_retiring_from bigint,
                         ADD COLUMN shown_removed_at    bigint;
