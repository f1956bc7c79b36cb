-- Whether both mailboxes of a user can be opened, and when that is to be found out (`MailboxCheck`). Users of older batches
-- are not checked by themselves.
ALTER TABLE user ADD COLUMN check_due INTEGER;
-- While somebody is at it: until when that is believed.
ALTER TABLE user ADD COLUMN check_until INTEGER;
-- Grows whenever a check begins or is asked for: what a check finds counts while this is its number.
ALTER TABLE user ADD COLUMN check_number INTEGER NOT NULL DEFAULT 0;
ALTER TABLE user ADD COLUMN check_attempts INTEGER NOT NULL DEFAULT 0;
ALTER TABLE user ADD COLUMN check_delay TEXT;
ALTER TABLE user ADD COLUMN checked INTEGER;
ALTER TABLE user ADD COLUMN source_opening TEXT CHECK (json_valid(source_opening));
ALTER TABLE user ADD COLUMN target_opening TEXT CHECK (json_valid(target_opening));
CREATE INDEX user_to_check ON user (source_endpoint, check_due) WHERE check_due IS NOT NULL;
