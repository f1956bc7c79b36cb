-- How often in a row the service's process ended while a worker was at the user, and nothing was copied.
ALTER TABLE user ADD COLUMN lost INTEGER NOT NULL DEFAULT 0;
CREATE INDEX user_lost ON user (source_endpoint) WHERE lost >= 2;
