-- Sessions of the web console. Of both halves only the BLAKE3 digests are kept.
CREATE TABLE console_session (
    id      INTEGER PRIMARY KEY,
    cookie  BLOB NOT NULL UNIQUE CHECK (length(cookie) = 32),
    key     BLOB NOT NULL CHECK (length(key) = 32),
    token   BLOB CHECK (length(token) = 16),
    name    TEXT NOT NULL,
    role    TEXT NOT NULL,
    begun   INTEGER NOT NULL,
    seen    INTEGER NOT NULL
) STRICT;
