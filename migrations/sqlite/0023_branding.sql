-- How the pages look that people see at the tenant: a JSON object; what it does not name has its default.
ALTER TABLE tenants ADD COLUMN branding TEXT NOT NULL DEFAULT '{}';
