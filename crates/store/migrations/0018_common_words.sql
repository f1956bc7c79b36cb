-- Words that PostgreSQL knows too: `user` is reserved there, and it has no collation NOCASE.
ALTER TABLE user RENAME TO migration_user;
ALTER TABLE endpoint ADD COLUMN name_key TEXT GENERATED ALWAYS AS (lower(name)) VIRTUAL;
CREATE UNIQUE INDEX endpoint_name_key ON endpoint (name_key);
ALTER TABLE batch ADD COLUMN name_key TEXT GENERATED ALWAYS AS (lower(name)) VIRTUAL;
CREATE UNIQUE INDEX batch_name_key ON batch (name_key);
ALTER TABLE migration_user ADD COLUMN email_key TEXT GENERATED ALWAYS AS (lower(email_address)) VIRTUAL;
CREATE UNIQUE INDEX user_email_key ON migration_user (email_key);
ALTER TABLE api_token ADD COLUMN name_key TEXT GENERATED ALWAYS AS (lower(name)) VIRTUAL;
CREATE UNIQUE INDEX api_token_name_key ON api_token (name_key) WHERE revoked IS NULL;
