-- What is known of an endpoint's server beside what it says itself, and how much it may be asked in a time (`Rates`).
ALTER TABLE endpoint ADD COLUMN server_profile TEXT;
ALTER TABLE endpoint ADD COLUMN rates TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(rates));
