-- SHA-256 of a token that its agent has fetched and not used: until its first use, which moves it into the agent's row
-- and ends the pairing, another claim puts another in its place.
ALTER TABLE pairings ADD COLUMN token_hash blob;
CREATE UNIQUE INDEX pairings_by_token ON pairings (token_hash);
