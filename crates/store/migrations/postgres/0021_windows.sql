-- Windows of a batch's users, sorted by address.
CREATE INDEX user_of_batch_by_address ON migration_user (batch, email_key);
INSERT INTO schema_support VALUES (21, 20);
