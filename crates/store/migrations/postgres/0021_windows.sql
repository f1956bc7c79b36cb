-- Windows of a batch's users, sorted by address or selected by status.
CREATE INDEX user_of_batch_by_address ON migration_user (batch, email_key);
-- An expression, so that no statement of the scheduler's turn takes this index for a better one.
CREATE INDEX user_of_batch_by_status ON migration_user (batch, (status || ''));
INSERT INTO schema_support VALUES (21, 20);
