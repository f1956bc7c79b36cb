-- Work at each batch and endpoint in periods of `step` seconds from `begun` on (seconds since 1970). Old periods are deleted.
CREATE TABLE throughput (
    owner         BLOB NOT NULL CHECK (length(owner) = 16),
    step          INTEGER NOT NULL,
    begun         INTEGER NOT NULL,
    octets        INTEGER NOT NULL CHECK (octets >= 0),
    messages      INTEGER NOT NULL CHECK (messages >= 0),
    -- Sum of the seconds of all passes.
    busy_seconds  INTEGER NOT NULL CHECK (busy_seconds >= 0),
    -- Users at the end of the period.
    waiting       INTEGER NOT NULL CHECK (waiting >= 0),
    failed        INTEGER NOT NULL CHECK (failed >= 0),
    PRIMARY KEY (owner, step, begun)
) STRICT, WITHOUT ROWID;
CREATE INDEX throughput_begun ON throughput (step, begun);
-- Users that wait or failed, in each batch.
CREATE INDEX user_pending ON migration_user (batch, status) WHERE status IN ('Queued', 'Failed', 'IncrementalFailed', 'CompletionFailed');
