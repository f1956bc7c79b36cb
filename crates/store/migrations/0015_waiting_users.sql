-- Which batches have users that could be claimed, without a look at each user.
CREATE INDEX user_waiting ON user (batch, pass, due) WHERE due IS NOT NULL;
