-- Whether the clients of a tenant that do not say it know a person by the same `sub`.

ALTER TABLE tenants ADD COLUMN subject TEXT NOT NULL DEFAULT 'public';
