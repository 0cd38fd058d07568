-- To which tenants a generation was not applied, because a conflict with what the administration API made stands in the way.

-- A JSON array of ids. An earlier program applies a generation to all tenants or to none, so what it writes is whole.
ALTER TABLE generations ADD COLUMN left_out TEXT NOT NULL DEFAULT '[]';
