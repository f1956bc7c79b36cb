-- The target folder's UIDNEXT when the folder was last settled: what came there since has no record where an older file was
-- restored.
ALTER TABLE folder ADD COLUMN target_next INTEGER;
-- Messages that vanished from the source and whose copies are not removed yet: their UIDs as IMAP writes a set, and the time
-- of the pass that did not see them any more, in seconds since 1970.
ALTER TABLE folder ADD COLUMN waiting TEXT;
ALTER TABLE folder ADD COLUMN waiting_since INTEGER;
