-- Named secrets, each encrypted under a key that is derived from CREDENTIALS_KEY.
CREATE TABLE credentials (
    account_id TEXT NOT NULL REFERENCES accounts (id),
    name TEXT NOT NULL,
    -- `default` is every channel's that has no other of this name
    channel TEXT NOT NULL,
    -- names the key; derived from the same secret
    key_id TEXT NOT NULL,
    nonce blob NOT NULL,
    -- AES-256-GCM-SIV; account, channel, name and key_id are its associated data
    sealed blob NOT NULL,
    stored_at_ms BIGINT NOT NULL,
    -- the agent that read this value last; NULL: none has
    read_by TEXT,
    read_at_ms BIGINT,
    PRIMARY KEY (account_id, name, channel)
);
CREATE INDEX credentials_by_key ON credentials (key_id);

-- Tickets that a session may have because an action was confirmed. Spent by removal.
CREATE TABLE ticket_grants (
    session_id TEXT NOT NULL REFERENCES sessions (id),
    stream TEXT NOT NULL,
    expires_at_ms BIGINT NOT NULL,
    PRIMARY KEY (session_id, stream)
);
