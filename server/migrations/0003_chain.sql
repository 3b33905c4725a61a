-- SHA-256 over the row and the hash of the account's event before it (server/src/audit/chain.rs). NULL: the event
-- is older than this column; the account's chain begins with its first hash.
ALTER TABLE activity ADD COLUMN hash blob;
