-- Mail, put here in the transaction of what it tells of; rows that were sent go after a month.
CREATE TABLE outbox (
    id TEXT PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id),
    -- what it tells of: see the server's `mail::Notice`
    kind TEXT NOT NULL,
    to_name TEXT NOT NULL,
    to_address TEXT NOT NULL,
    subject TEXT NOT NULL,
    body TEXT NOT NULL,
    -- made of the id, so that a mail that arrives twice can be recognised
    message_id TEXT NOT NULL UNIQUE,
    created_at_ms BIGINT NOT NULL,
    sent_at_ms BIGINT,
    -- begun, whatever came of it
    attempts BIGINT NOT NULL DEFAULT 0,
    -- not tried before
    next_at_ms BIGINT NOT NULL
);
CREATE INDEX outbox_by_turn ON outbox (sent_at_ms, next_at_ms);

-- SHA-256 of the ceremony cookie of the browser that began it, or of the id of the session that did
ALTER TABLE ceremonies RENAME COLUMN cookie_hash TO owner_hash;
