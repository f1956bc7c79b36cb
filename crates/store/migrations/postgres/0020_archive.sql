-- The archive that a batch without a target endpoint writes to.
ALTER TABLE batch ADD COLUMN archive UUID;
-- The archive that the node can write to.
ALTER TABLE node ADD COLUMN archive UUID;
-- Newest step of the schema that the node's program knows.
ALTER TABLE node ADD COLUMN schema_version BIGINT NOT NULL DEFAULT 19;

-- For each step of the schema, the oldest program that can work with it: the number of the newest step that the program knows.
CREATE TABLE schema_support (
    version  BIGINT PRIMARY KEY,
    oldest   BIGINT NOT NULL CHECK (oldest <= version)
);
INSERT INTO schema_support VALUES (20, 20);
