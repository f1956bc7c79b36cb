-- The processes that run passes on this database. A process that is taken for dead gets another GUID.
CREATE TABLE node (
    guid      BLOB PRIMARY KEY NOT NULL CHECK (length(guid) = 16),
    name      TEXT NOT NULL CHECK (name <> ''),
    -- NULL: other machines cannot call it.
    address   TEXT,
    -- The version of the program.
    program   TEXT NOT NULL,
    -- Mailboxes that it runs at once.
    capacity  INTEGER NOT NULL CHECK (capacity >= 0),
    draining  INTEGER NOT NULL DEFAULT 0 CHECK (draining IN (0, 1)),
    started   INTEGER NOT NULL,
    -- The end of its lease, by the database's clock. The users of a node whose lease has ended are given to others.
    until     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
