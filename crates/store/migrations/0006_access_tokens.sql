-- What kind of service an endpoint is, how access tokens for its mailboxes are come by (`OAuth`), and the address of Gmail's
-- API where messages are uploaded by it.
ALTER TABLE endpoint ADD COLUMN endpoint_type TEXT NOT NULL DEFAULT 'IMAP';
ALTER TABLE endpoint ADD COLUMN oauth TEXT CHECK (json_valid(oauth));
ALTER TABLE endpoint ADD COLUMN gmail_api TEXT;
