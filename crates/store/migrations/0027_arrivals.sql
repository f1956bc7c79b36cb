-- Messages that came to the source lately, for each hour and delivering host. Hosts only: no sender and no subject. Old hours are
-- deleted.
CREATE TABLE arrival (
    user_id   INTEGER NOT NULL REFERENCES migration_user (id) ON DELETE CASCADE,
    -- Begin of the hour.
    hour      INTEGER NOT NULL,
    -- External, Internal, Saved or Returned.
    way       TEXT NOT NULL,
    -- Name and address of the host; empty where they are not known.
    host      TEXT NOT NULL,
    address   TEXT NOT NULL,
    messages  INTEGER NOT NULL CHECK (messages > 0),
    last      INTEGER NOT NULL,
    PRIMARY KEY (user_id, hour, way, host, address)
) STRICT, WITHOUT ROWID;
CREATE INDEX arrival_hour ON arrival (hour);

-- Domain of the address: the domains of a batch are found without reading its users.
ALTER TABLE migration_user ADD COLUMN email_domain TEXT GENERATED ALWAYS AS (substr(lower(email_address), length(rtrim(lower(email_address), replace(lower(email_address), '@', ''))) + 1)) VIRTUAL;
CREATE INDEX user_domain ON migration_user (batch, email_domain);
