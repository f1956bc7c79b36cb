-- Checksums of the rows that say whose mail goes where, and how. Rows of an older file get them when it is opened for writing.
ALTER TABLE endpoint ADD COLUMN checksum INTEGER;
ALTER TABLE batch ADD COLUMN checksum INTEGER;
-- Of the values that name the user and its mailboxes: the others change with every pass.
ALTER TABLE user ADD COLUMN checksum INTEGER;
