-- Checksums, by which damage of the file is noticed. The rows of a mailbox have them when the mailbox's own row has one.
-- Each is the beginning of a hash over the row's other values, 32 bits: sums of them do not overflow.
ALTER TABLE mailbox ADD COLUMN folders INTEGER NOT NULL DEFAULT 0;
ALTER TABLE mailbox ADD COLUMN checksum INTEGER;

-- How many rows of messages the folder has, and the sums of their checksums: a row that is missing is noticed. Messages that
-- are on the target are counted apart from all others.
ALTER TABLE folder ADD COLUMN done INTEGER NOT NULL DEFAULT 0;
ALTER TABLE folder ADD COLUMN done_sum INTEGER NOT NULL DEFAULT 0;
ALTER TABLE folder ADD COLUMN open INTEGER NOT NULL DEFAULT 0;
ALTER TABLE folder ADD COLUMN open_sum INTEGER NOT NULL DEFAULT 0;
ALTER TABLE folder ADD COLUMN checksum INTEGER;

-- Its row in `edited`, if it has one, is hashed with it. The last column: where any value before it changes its length, another
-- number is read here.
ALTER TABLE message ADD COLUMN checksum INTEGER;
