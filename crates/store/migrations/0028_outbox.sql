-- Notifications. Each is written in the transaction of the event that it tells.
CREATE TABLE outbox (
    guid           BLOB PRIMARY KEY NOT NULL CHECK (length(guid) = 16),
    event          TEXT NOT NULL CHECK (event <> ''),
    -- NULL: it concerns no single batch.
    batch          BLOB CHECK (length(batch) = 16) REFERENCES batch (guid) ON DELETE CASCADE,
    -- Domain or endpoint; empty for the batch itself.
    subject        TEXT NOT NULL,
    -- Facts (JSON); '{}' while failures are gathered.
    body           TEXT NOT NULL CHECK (json_valid(body)),
    created        INTEGER NOT NULL,
    -- Time until which failures are gathered; NULL if the body is complete.
    gathers_until  INTEGER
) STRICT, WITHOUT ROWID;
-- A batch is synced once, and completed once.
CREATE UNIQUE INDEX outbox_once ON outbox (batch, event) WHERE event IN ('BatchSynced', 'BatchCompleted');
CREATE UNIQUE INDEX outbox_gathering ON outbox (batch, event) WHERE gathers_until IS NOT NULL;
CREATE INDEX outbox_of_batch ON outbox (batch, event, created);
CREATE INDEX outbox_by_time ON outbox (created);

-- Deliveries of a notification: one for each receiver.
CREATE TABLE outbox_delivery (
    id          INTEGER PRIMARY KEY,
    outbox      BLOB NOT NULL CHECK (length(outbox) = 16) REFERENCES outbox (guid) ON DELETE CASCADE,
    -- Mail or Webhook.
    way         TEXT NOT NULL CHECK (way <> ''),
    recipient   TEXT NOT NULL,
    -- Time of the next try; NULL if it was delivered or given up.
    due         INTEGER,
    tries       INTEGER NOT NULL DEFAULT 0 CHECK (tries >= 0),
    delivered   INTEGER,
    -- Reason of the last try's failure, in the words of the server.
    last_error  TEXT,
    -- Node or process that is sending it.
    sender      BLOB CHECK (length(sender) = 16)
) STRICT;
CREATE INDEX outbox_delivery_of ON outbox_delivery (outbox);
CREATE INDEX outbox_delivery_due ON outbox_delivery (due) WHERE due IS NOT NULL;
CREATE INDEX outbox_delivery_sent ON outbox_delivery (sender) WHERE sender IS NOT NULL;

-- Users whose failure was told, until a pass succeeds or the user is started again.
CREATE TABLE failure_notice (
    user_id  INTEGER PRIMARY KEY NOT NULL REFERENCES migration_user (id) ON DELETE CASCADE,
    outbox   BLOB NOT NULL CHECK (length(outbox) = 16) REFERENCES outbox (guid) ON DELETE CASCADE
) STRICT;
CREATE INDEX failure_notice_of ON failure_notice (outbox);

-- Servers that take notifications (JSON). Their secrets are in the vault.
ALTER TABLE config ADD COLUMN notifications TEXT;
