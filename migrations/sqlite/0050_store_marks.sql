-- What a copy says of a store: `unfinished` of its target, `moved` of its source. `store` is the other one. A store in use has no mark.
CREATE TABLE store_marks (
    name  TEXT    NOT NULL PRIMARY KEY,
    store TEXT    NOT NULL,
    at    INTEGER NOT NULL
);
