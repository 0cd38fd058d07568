-- At which resources a person allowed a client which scopes, as a document: {"resource": ["scope"]}. Null where it is not known, as in rows that are
-- older than this column: those are of the client's own audiences, because the page named no other.
ALTER TABLE consents ADD COLUMN resources text;
