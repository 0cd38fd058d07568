-- What a person may do as an administrator: scopes of the platform's own, separated by spaces.
ALTER TABLE accounts ADD COLUMN permissions TEXT NOT NULL DEFAULT '';
