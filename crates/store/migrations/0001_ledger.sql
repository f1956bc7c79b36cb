-- One row for each pair of mailboxes that was ever migrated.
CREATE TABLE mailbox (
    id      INTEGER PRIMARY KEY,
    source  TEXT NOT NULL,
    target  TEXT NOT NULL,
    UNIQUE (source, target)
) STRICT;

-- One row for each folder of the source that was opened. Paths in the form `a/b`, with `\/` for a slash in a name.
CREATE TABLE folder (
    id                     INTEGER PRIMARY KEY,
    mailbox_id             INTEGER NOT NULL REFERENCES mailbox (id),
    source                 TEXT NOT NULL,
    target                 TEXT NOT NULL,
    uid_validity           INTEGER NOT NULL,
    target_validity        INTEGER,
    floor_validity         INTEGER,
    floor_uid_next         INTEGER,
    cursor_messages        INTEGER,
    cursor_uid_validity    INTEGER,
    cursor_uid_next        INTEGER,
    cursor_highest_modseq  INTEGER,
    cursor_skipped         INTEGER,
    cursor_excluded        INTEGER,
    rules                  TEXT NOT NULL DEFAULT '',
    UNIQUE (mailbox_id, source),
    CHECK ((floor_validity IS NULL) = (floor_uid_next IS NULL)),
    CHECK ((cursor_messages IS NULL) = (cursor_uid_validity IS NULL)),
    CHECK ((cursor_messages IS NULL) = (cursor_skipped IS NULL)),
    CHECK ((cursor_messages IS NULL) = (cursor_excluded IS NULL))
) STRICT;

-- One row for each message of which something is known. state: 0 intended, 1 done, 2 skipped.
-- Unsigned 64-bit numbers (size, modseq) are kept as the signed number with the same bits.
CREATE TABLE message (
    folder_id     INTEGER NOT NULL REFERENCES folder (id),
    uid           INTEGER NOT NULL,
    state         INTEGER NOT NULL CHECK (state IN (0, 1, 2)),
    target_uid    INTEGER,
    flags         TEXT,
    pending_flags TEXT,
    fingerprint   BLOB,
    digest_whole  BLOB,
    digest_text   BLOB,
    size          INTEGER,
    ours          INTEGER,
    reason        TEXT,
    PRIMARY KEY (folder_id, uid),
    CHECK ((state = 1) = (flags IS NOT NULL)),
    CHECK ((state = 1) = (fingerprint IS NOT NULL)),
    CHECK ((state = 1) = (size IS NOT NULL)),
    CHECK ((state = 1) = (ours IS NOT NULL)),
    CHECK ((state = 2) = (reason IS NOT NULL)),
    CHECK ((digest_whole IS NULL) = (digest_text IS NULL))
) STRICT, WITHOUT ROWID;
