-- With which of its credentials the actor of a record got its token, and which key the token was bound to. Null where there is none.
ALTER TABLE audit_records ADD COLUMN credential TEXT;
ALTER TABLE audit_records ADD COLUMN sender_constraint TEXT;
