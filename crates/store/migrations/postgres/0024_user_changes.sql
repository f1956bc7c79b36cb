-- At most one row: number of the last order that changed users. Sums of users that were computed before it are not shown any more.
CREATE TABLE user_changes (
    id      BIGINT PRIMARY KEY CHECK (id = 1),
    number  BIGINT NOT NULL
);
INSERT INTO schema_support VALUES (24, 20);
