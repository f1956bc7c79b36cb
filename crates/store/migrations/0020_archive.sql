-- The archive that a batch without a target endpoint writes to, where several nodes serve one database. In a data directory it is NULL:
-- there is only one archive.
ALTER TABLE batch ADD COLUMN archive BLOB CHECK (archive IS NULL OR length(archive) = 16);
