-- How people sign in at a tenant: a JSON object; what it does not name has its default.
ALTER TABLE tenants ADD COLUMN sign_in TEXT NOT NULL DEFAULT '{}';

-- Whether the person chose to stay signed in after the browser has closed.
ALTER TABLE sessions ADD COLUMN remembered INTEGER NOT NULL DEFAULT 0;
