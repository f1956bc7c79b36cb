-- Messages that came to the source lately, for each hour and delivering host. Hosts only: no sender and no subject. Old hours are
-- deleted.
CREATE TABLE arrival (
    user_id   BIGINT NOT NULL REFERENCES migration_user (id) ON DELETE CASCADE,
    -- Begin of the hour.
    hour      BIGINT NOT NULL,
    -- External, Internal, Saved or Returned.
    way       TEXT COLLATE "C" NOT NULL,
    -- Name and address of the host; empty where they are not known.
    host      TEXT COLLATE "C" NOT NULL,
    address   TEXT COLLATE "C" NOT NULL,
    messages  BIGINT NOT NULL CHECK (messages > 0),
    last      BIGINT NOT NULL,
    PRIMARY KEY (user_id, hour, way, host, address)
);
CREATE INDEX arrival_hour ON arrival (hour);

-- Domain of the address: the domains of a batch are found without reading its users.
ALTER TABLE migration_user ADD COLUMN email_domain TEXT COLLATE "C" GENERATED ALWAYS AS (substr(lower(email_address), length(rtrim(lower(email_address), replace(lower(email_address), '@', ''))) + 1)) STORED;
CREATE INDEX user_domain ON migration_user (batch, email_domain);
INSERT INTO schema_support VALUES (27, 20);
