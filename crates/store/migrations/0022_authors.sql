-- Author and date of messages that the last pass skipped.
ALTER TABLE skipped_message ADD COLUMN sender TEXT;
ALTER TABLE skipped_message ADD COLUMN sent INTEGER;
