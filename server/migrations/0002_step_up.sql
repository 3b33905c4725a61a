-- JSON of protocol::step_up::Evidence: what an auditor judges the event by
ALTER TABLE activity ADD COLUMN evidence TEXT;
-- the filter of the step-up log under which it is found; NULL: it is not about a step-up
ALTER TABLE activity ADD COLUMN step_up TEXT;
CREATE INDEX activity_of_step_ups ON activity (account_id, step_up, id);

-- What holds an account back, and since when; NULL: nothing does.
ALTER TABLE accounts ADD COLUMN cooldown_from_ms BIGINT;
ALTER TABLE accounts ADD COLUMN cooldown_until_ms BIGINT;
ALTER TABLE accounts ADD COLUMN risk_hold_from_ms BIGINT;
ALTER TABLE accounts ADD COLUMN risk_hold_until_ms BIGINT;
ALTER TABLE accounts ADD COLUMN recovery_from_ms BIGINT;
ALTER TABLE accounts ADD COLUMN recovery_until_ms BIGINT;

-- Step-ups that were asked for. Spent by removal, in the action's own transaction.
CREATE TABLE step_ups (
    id TEXT PRIMARY KEY,
    session_id TEXT NOT NULL REFERENCES sessions (id),
    -- SHA-256 of the token
    token_hash blob NOT NULL,
    expires_at_ms BIGINT NOT NULL
);
CREATE INDEX step_ups_by_expiry ON step_ups (expires_at_ms);

-- What was answered to an action, for whoever lost the answer and asks again with the same key.
CREATE TABLE replies (
    account_id TEXT NOT NULL REFERENCES accounts (id),
    idempotency_key TEXT NOT NULL,
    -- SHA-256 over the action's kind and parameters
    request_hash blob NOT NULL,
    -- JSON; NULL only inside of the action's own transaction
    answer TEXT,
    expires_at_ms BIGINT NOT NULL,
    PRIMARY KEY (account_id, idempotency_key)
);
CREATE INDEX replies_by_expiry ON replies (expires_at_ms);
