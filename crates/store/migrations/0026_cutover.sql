-- Settings of the cut-over of a batch (JSON).
CREATE TABLE cutover (
    batch     BLOB PRIMARY KEY NOT NULL CHECK (length(batch) = 16) REFERENCES batch (guid) ON DELETE CASCADE,
    settings  TEXT NOT NULL CHECK (json_valid(settings))
) STRICT;

-- For each domain of a batch, its first mail hosts, its last look, and the times of its move (JSON).
CREATE TABLE domain_routing (
    batch    BLOB NOT NULL CHECK (length(batch) = 16) REFERENCES batch (guid) ON DELETE CASCADE,
    domain   TEXT NOT NULL,
    routing  TEXT NOT NULL CHECK (json_valid(routing)),
    -- Remarks about its other records (JSON); NULL until they are read.
    remarks  TEXT CHECK (remarks IS NULL OR json_valid(remarks)),
    PRIMARY KEY (batch, domain)
) STRICT;

-- Changes of the mail hosts of a domain: the change lies between the two times.
CREATE TABLE dns_change (
    id        INTEGER PRIMARY KEY,
    batch     BLOB NOT NULL CHECK (length(batch) = 16) REFERENCES batch (guid) ON DELETE CASCADE,
    domain    TEXT NOT NULL,
    old       TEXT NOT NULL,
    new       TEXT NOT NULL,
    old_seen  INTEGER NOT NULL,
    new_seen  INTEGER NOT NULL
) STRICT;
CREATE INDEX dns_change_of_batch ON dns_change (batch);

-- NULL: Warn.
ALTER TABLE config ADD COLUMN cutover_policy TEXT;
-- Resolvers that are asked beside those of the machine (JSON).
ALTER TABLE config ADD COLUMN public_resolvers TEXT;
