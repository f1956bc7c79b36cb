-- Work at each batch and endpoint in periods of `step` seconds from `begun` on (seconds since 1970). Old periods are deleted.
CREATE TABLE throughput (
    owner         UUID NOT NULL,
    step          BIGINT NOT NULL,
    begun         BIGINT NOT NULL,
    octets        BIGINT NOT NULL CHECK (octets >= 0),
    messages      BIGINT NOT NULL CHECK (messages >= 0),
    -- Sum of the seconds of all passes, on all nodes.
    busy_seconds  BIGINT NOT NULL CHECK (busy_seconds >= 0),
    -- Users at the end of the period.
    waiting       BIGINT NOT NULL CHECK (waiting >= 0),
    failed        BIGINT NOT NULL CHECK (failed >= 0),
    PRIMARY KEY (owner, step, begun)
);
CREATE INDEX throughput_begun ON throughput (step, begun);
-- Users that wait or failed, in each batch.
CREATE INDEX user_pending ON migration_user (batch, status COLLATE "C") WHERE status IN ('Queued', 'Failed', 'IncrementalFailed', 'CompletionFailed');
INSERT INTO schema_support VALUES (25, 20);
