-- Messages that were edited so that the target takes them, or are about to be offered so: a row beside that in `message`,
-- which is gone when that one is written anew. original: as the source has it; copy: as it was sent.
CREATE TABLE edited (
    folder_id             INTEGER NOT NULL,
    uid                   INTEGER NOT NULL,
    original_fingerprint  BLOB NOT NULL,
    original_whole        BLOB NOT NULL,
    original_text         BLOB NOT NULL,
    original_size         INTEGER NOT NULL,
    copy_fingerprint      BLOB NOT NULL,
    copy_whole            BLOB NOT NULL,
    copy_text             BLOB NOT NULL,
    copy_size             INTEGER NOT NULL,
    sha256                BLOB NOT NULL CHECK (length(sha256) = 32),
    edits                 TEXT NOT NULL,
    subject               TEXT,
    PRIMARY KEY (folder_id, uid),
    FOREIGN KEY (folder_id, uid) REFERENCES message (folder_id, uid) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- How many of the copied messages were edited.
ALTER TABLE folder_statistics ADD COLUMN repaired INTEGER NOT NULL DEFAULT 0;
