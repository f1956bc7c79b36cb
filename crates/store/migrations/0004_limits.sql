-- What servers put up with. Octets that went to and from each mailbox of an endpoint, by hours since 1970.
CREATE TABLE usage (
    endpoint  BLOB NOT NULL REFERENCES endpoint (guid) ON DELETE CASCADE,
    mailbox   TEXT NOT NULL,
    hour      INTEGER NOT NULL,
    octets    INTEGER NOT NULL CHECK (octets >= 0),
    PRIMARY KEY (endpoint, mailbox, hour)
) STRICT, WITHOUT ROWID;
CREATE INDEX usage_hour ON usage (hour);

-- Endpoints that asked to be left alone.
CREATE TABLE parking (
    endpoint  BLOB PRIMARY KEY NOT NULL REFERENCES endpoint (guid) ON DELETE CASCADE,
    since     INTEGER NOT NULL,
    until     INTEGER NOT NULL,
    reason    TEXT NOT NULL
) STRICT, WITHOUT ROWID;
