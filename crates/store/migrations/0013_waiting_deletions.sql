-- Copies of the user's messages that the last pass did not remove yet: they vanished from the source, and wait for a second look.
ALTER TABLE user ADD COLUMN waiting_deletions INTEGER NOT NULL DEFAULT 0;
CREATE INDEX user_waiting_deletions ON user (batch) WHERE waiting_deletions > 0;
