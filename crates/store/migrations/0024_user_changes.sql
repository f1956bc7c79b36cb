-- At most one row: number of the last order that changed users. Sums of users that were computed before it are not shown any more.
CREATE TABLE user_changes (
    id      INTEGER PRIMARY KEY CHECK (id = 1),
    number  INTEGER NOT NULL
) STRICT;
