-- At most one row: where the data of this database went, or where the data comes from while a copy into it is unfinished. No service runs
-- on such a database.
CREATE TABLE relocation (
    id     INTEGER PRIMARY KEY CHECK (id = 1),
    state  TEXT NOT NULL CHECK (state IN ('Filling', 'Moved')),
    place  TEXT NOT NULL,
    since  INTEGER NOT NULL
) STRICT;
