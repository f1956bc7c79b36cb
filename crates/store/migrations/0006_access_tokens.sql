-- What kind of service an endpoint is, how access tokens for its mailboxes are come by (`OAuth`), and the address of Gmail's
-- API where messages are uploaded by it.
ALTER TABLE endpoint ADD COLUMN endpoint_type TEXT NOT NULL DEFAULT 'IMAP';
ALTER TABLE endpoint ADD COLUMN oauth TEXT CHECK (json_valid(oauth));
ALTER TABLE endpoint ADD COLUMN gmail_api TEXT;

-- What is secret of it is kept with the passwords, under a name of its own. A CHECK cannot be altered.
CREATE TABLE secret_with_tokens (
    owner   BLOB NOT NULL CHECK (length(owner) = 16),
    name    TEXT NOT NULL CHECK (name IN ('Password', 'TargetPassword', 'AdminPassword', 'TokenSecret')),
    key_id  BLOB NOT NULL CHECK (length(key_id) = 8),
    sealed  BLOB NOT NULL CHECK (length(sealed) >= 40),
    PRIMARY KEY (owner, name)
) STRICT, WITHOUT ROWID;
INSERT INTO secret_with_tokens (owner, name, key_id, sealed) SELECT owner, name, key_id, sealed FROM secret;
DROP TABLE secret;
ALTER TABLE secret_with_tokens RENAME TO secret;
