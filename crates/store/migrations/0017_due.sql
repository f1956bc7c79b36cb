-- A turn of the scheduler reads users that are due, not all users.
-- Users whose completion is due, in each running batch: by their own time, or by that of the batch where they have none.
CREATE INDEX user_to_complete ON user (batch, complete_after) WHERE status IN ('Synced', 'IncrementalFailed');
-- Checks that run.
CREATE INDEX user_checking ON user (check_until) WHERE check_until IS NOT NULL;
-- Batches with a check that is due; and those where it is due and the pass is not.
CREATE INDEX user_to_check_of_batch ON user (batch, check_due) WHERE check_due IS NOT NULL;
CREATE INDEX user_to_check_by_due ON user (batch, due, check_due) WHERE check_due IS NOT NULL;
