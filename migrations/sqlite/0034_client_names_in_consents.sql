-- The name of the client on the page where the person allowed it last: a client with another name asks again. Null where it is not known, as in
-- rows that are older than this column, or that an earlier program writes: those allow as before.
ALTER TABLE consents ADD COLUMN client_name TEXT;
