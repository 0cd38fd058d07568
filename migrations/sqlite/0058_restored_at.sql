-- When the rows of the tenant were last restored or imported: uses of what may be used once may be forgotten since.
ALTER TABLE tenants ADD COLUMN restored_at INTEGER;
