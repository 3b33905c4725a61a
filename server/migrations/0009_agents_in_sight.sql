-- A keyed hash of the address that an agent asks from, until it is approved: whoever looks at the pairing is told
-- whether it is their own.
ALTER TABLE pairings ADD COLUMN source blob;

-- The last charges of each agent.
CREATE INDEX charges_by_time ON charges (agent_id, at_ms);
