-- The name of a key in tokens and key sets; none of a key that is named by its number.
ALTER TABLE signing_keys ADD COLUMN kid text;
