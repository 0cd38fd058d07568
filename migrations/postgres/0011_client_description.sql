-- What a client is for, in words of an operator's.

-- An earlier program does not name the column, so what it writes leaves a description as it is.
ALTER TABLE clients ADD COLUMN description text;
