-- The address from which the person signed in; null of sessions that are older than this column.
ALTER TABLE sessions ADD COLUMN source TEXT;
