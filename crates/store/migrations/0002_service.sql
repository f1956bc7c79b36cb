-- The nouns of the service. GUIDs are 16 octets, times milliseconds since 1970, names compare without regard to ASCII case.
CREATE TABLE endpoint (
    guid                              BLOB PRIMARY KEY NOT NULL CHECK (length(guid) = 16),
    name                              TEXT NOT NULL COLLATE NOCASE UNIQUE CHECK (name <> ''),
    remote_server                     TEXT NOT NULL,
    port                              INTEGER NOT NULL CHECK (port BETWEEN 0 AND 65535),
    security                          TEXT NOT NULL CHECK (security IN ('None', 'Ssl', 'Tls')),
    accept_untrusted_certificates     INTEGER NOT NULL CHECK (accept_untrusted_certificates IN (0, 1)),
    certificate_authorities           TEXT,
    certificate_sha256                BLOB CHECK (length(certificate_sha256) = 32),
    -- NULL: unlimited; here and in `config`.
    max_concurrent_migrations         INTEGER CHECK (max_concurrent_migrations > 0),
    max_concurrent_incremental_syncs  INTEGER CHECK (max_concurrent_incremental_syncs > 0),
    admin_user_name                   TEXT,
    admin_template                    TEXT,
    created                           INTEGER NOT NULL,
    modified                          INTEGER NOT NULL,
    CHECK (admin_user_name IS NOT NULL OR admin_template IS NULL)
) STRICT;

CREATE TABLE batch (
    id                   INTEGER PRIMARY KEY,
    guid                 BLOB NOT NULL UNIQUE CHECK (length(guid) = 16),
    name                 TEXT NOT NULL COLLATE NOCASE UNIQUE CHECK (length(name) BETWEEN 1 AND 64),
    source_endpoint      BLOB NOT NULL REFERENCES endpoint (guid),
    target_endpoint      BLOB REFERENCES endpoint (guid),
    intent               TEXT NOT NULL CHECK (intent IN ('Created', 'Run', 'Stop')),
    settings             TEXT NOT NULL CHECK (json_valid(settings)),
    -- Of the settings, what is asked for by SQL.
    start_after          INTEGER,
    complete_after       INTEGER,
    submitted_by         TEXT NOT NULL,
    validation_warnings  TEXT NOT NULL CHECK (json_valid(validation_warnings)),
    created              INTEGER NOT NULL,
    started              INTEGER,
    UNIQUE (guid, source_endpoint)
) STRICT;

-- One row for each mailbox of a batch, in the order in which they were given.
CREATE TABLE user (
    id                  INTEGER PRIMARY KEY,
    guid                BLOB NOT NULL UNIQUE CHECK (length(guid) = 16),
    batch               BLOB NOT NULL,
    -- The batch's, so that one index finds who is next at an endpoint.
    source_endpoint     BLOB NOT NULL,
    csv_row             INTEGER NOT NULL,
    email_address       TEXT NOT NULL COLLATE NOCASE UNIQUE,
    user_name           TEXT NOT NULL,
    user_root           TEXT,
    target_user_name    TEXT NOT NULL,
    status              TEXT NOT NULL CHECK (status IN (
                            'Queued', 'Validating', 'Syncing', 'Synced', 'IncrementalSyncing', 'IncrementalFailed',
                            'IncrementalStopped', 'Stopping', 'Stopped', 'Completing', 'CompletionFailed', 'Completed',
                            'CompletedWithWarnings', 'Failed')),
    status_since        INTEGER NOT NULL,
    -- The pass that is under way, else the one that a worker may begin.
    pass                TEXT CHECK (pass IN ('Final', 'Incremental', 'First')),
    due                 INTEGER,
    attempts            INTEGER NOT NULL DEFAULT 0,
    start_after         INTEGER,
    complete_after      INTEGER,
    failure_class       TEXT,
    failure_message     TEXT,
    failure_advice      TEXT,
    initial_synced      INTEGER,
    last_synced         INTEGER,
    approved            INTEGER,
    -- 0 is the best grade; the worst of a batch is the maximum.
    score               INTEGER NOT NULL DEFAULT 0,
    lease_owner         BLOB CHECK (length(lease_owner) = 16),
    lease_until         INTEGER,
    -- Grows whenever a lease begins or ends: a lease holds while this is its number.
    fence               INTEGER NOT NULL DEFAULT 0,
    total_items         INTEGER NOT NULL DEFAULT 0,
    synced_items        INTEGER NOT NULL DEFAULT 0,
    skipped_items       INTEGER NOT NULL DEFAULT 0,
    estimated_bytes     INTEGER NOT NULL DEFAULT 0,
    bytes_transferred   INTEGER NOT NULL DEFAULT 0,
    pass_bytes          INTEGER NOT NULL DEFAULT 0,
    pass_items          INTEGER NOT NULL DEFAULT 0,
    queued_millis       INTEGER NOT NULL DEFAULT 0,
    in_progress_millis  INTEGER NOT NULL DEFAULT 0,
    synced_millis       INTEGER NOT NULL DEFAULT 0,
    stalled_millis      INTEGER NOT NULL DEFAULT 0,
    FOREIGN KEY (batch, source_endpoint) REFERENCES batch (guid, source_endpoint),
    CHECK ((lease_owner IS NULL) = (lease_until IS NULL)),
    CHECK ((failure_class IS NULL) = (failure_message IS NULL)),
    CHECK (failure_class IS NOT NULL OR failure_advice IS NULL)
) STRICT;
CREATE INDEX user_batch ON user (batch);
CREATE INDEX user_next ON user (source_endpoint, pass, due) WHERE due IS NOT NULL;
CREATE INDEX user_leased ON user (lease_until) WHERE lease_until IS NOT NULL;

-- Passwords of users and endpoints, sealed: 24 octets of nonce, then what XChaCha20-Poly1305 made of it.
CREATE TABLE secret (
    owner   BLOB NOT NULL CHECK (length(owner) = 16),
    name    TEXT NOT NULL CHECK (name IN ('Password', 'TargetPassword', 'AdminPassword')),
    key_id  BLOB NOT NULL CHECK (length(key_id) = 8),
    sealed  BLOB NOT NULL CHECK (length(sealed) >= 40),
    PRIMARY KEY (owner, name)
) STRICT, WITHOUT ROWID;

-- What is told about a user, counted from 1 for each.
CREATE TABLE report_entry (
    user_id  INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    number   INTEGER NOT NULL,
    time     INTEGER NOT NULL,
    text     TEXT NOT NULL,
    PRIMARY KEY (user_id, number)
) STRICT, WITHOUT ROWID;

-- What the last pass did, folder by folder.
CREATE TABLE folder_statistics (
    user_id        INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    number         INTEGER NOT NULL,
    source         TEXT NOT NULL,
    target         TEXT,
    reason         TEXT NOT NULL,
    seen           INTEGER NOT NULL,
    copied         INTEGER NOT NULL,
    already        INTEGER NOT NULL,
    excluded       INTEGER NOT NULL,
    bytes          INTEGER NOT NULL,
    flags_changed  INTEGER NOT NULL,
    moved          INTEGER NOT NULL,
    removed        INTEGER NOT NULL,
    skipped        INTEGER NOT NULL,
    error          TEXT,
    PRIMARY KEY (user_id, number)
) STRICT, WITHOUT ROWID;

-- The messages that the last pass skipped.
CREATE TABLE skipped_message (
    user_id  INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    number   INTEGER NOT NULL,
    folder   TEXT NOT NULL,
    uid      INTEGER NOT NULL,
    subject  TEXT,
    date     INTEGER,
    size     INTEGER NOT NULL,
    reason   TEXT NOT NULL,
    kind     TEXT NOT NULL,
    PRIMARY KEY (user_id, number)
) STRICT, WITHOUT ROWID;

-- At most one row; none means the defaults.
CREATE TABLE config (
    id                         INTEGER PRIMARY KEY CHECK (id = 1),
    max_number_of_batches      INTEGER CHECK (max_number_of_batches > 0),
    max_concurrent_migrations  INTEGER CHECK (max_concurrent_migrations > 0),
    target_endpoint            BLOB REFERENCES endpoint (guid)
) STRICT;

-- Who may call the service. Of the token itself only its BLAKE3 digest is kept.
CREATE TABLE api_token (
    id         INTEGER PRIMARY KEY,
    guid       BLOB NOT NULL UNIQUE CHECK (length(guid) = 16),
    name       TEXT NOT NULL COLLATE NOCASE CHECK (name <> ''),
    role       TEXT NOT NULL,
    digest     BLOB NOT NULL UNIQUE CHECK (length(digest) = 32),
    created    INTEGER NOT NULL,
    last_used  INTEGER,
    revoked    INTEGER
) STRICT;
CREATE UNIQUE INDEX api_token_name ON api_token (name) WHERE revoked IS NULL;

-- Who did what.
CREATE TABLE audit (
    id         INTEGER PRIMARY KEY,
    time       INTEGER NOT NULL,
    who        TEXT NOT NULL,
    operation  TEXT NOT NULL,
    identity   TEXT NOT NULL,
    outcome    TEXT NOT NULL
) STRICT;
