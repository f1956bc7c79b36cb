-- Author and date of messages that the last pass skipped.
ALTER TABLE skipped_message ADD COLUMN sender TEXT;
ALTER TABLE skipped_message ADD COLUMN sent BIGINT;
INSERT INTO schema_support VALUES (22, 20);
