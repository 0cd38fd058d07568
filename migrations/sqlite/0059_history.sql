-- Which history of the store this is: another number once a copy or a backup was written into it.
CREATE TABLE store_history (
    id          INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    incarnation INTEGER NOT NULL
) STRICT;

INSERT INTO store_history (id, incarnation) VALUES (1, random());
