-- Agents that have asked for an owner. Spent by removal, when the agent fetches its token.
CREATE TABLE pairings (
    code TEXT PRIMARY KEY,
    agent_id TEXT NOT NULL UNIQUE,
    -- SHA-256 of the secret that fetches the token
    secret_hash blob NOT NULL UNIQUE,
    name TEXT NOT NULL,
    -- what it wishes for; what it got stands in its row of `agents`
    scope TEXT NOT NULL,
    budget_micros BIGINT NOT NULL,
    asked_at_ms BIGINT NOT NULL,
    -- until when it can be approved, and from then on, until when its token can be fetched
    expires_at_ms BIGINT NOT NULL,
    approved_at_ms BIGINT
);
CREATE INDEX pairings_by_expiry ON pairings (expires_at_ms);

-- Agents that were approved. Rows stay: they name who made which charge.
CREATE TABLE agents (
    id TEXT PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id),
    name TEXT NOT NULL,
    scope TEXT NOT NULL,
    budget_micros BIGINT NOT NULL CHECK (budget_micros >= 0),
    spent_micros BIGINT NOT NULL DEFAULT 0 CHECK (spent_micros >= 0),
    -- SHA-256 of the bearer token; NULL: not fetched yet, or revoked
    token_hash blob UNIQUE,
    approved_at_ms BIGINT NOT NULL,
    expires_at_ms BIGINT NOT NULL,
    revoked_at_ms BIGINT,
    torn_down_at_ms BIGINT
);
CREATE INDEX agents_by_account ON agents (account_id, approved_at_ms);

-- Append-only.
CREATE TABLE charges (
    id TEXT PRIMARY KEY,
    agent_id TEXT NOT NULL REFERENCES agents (id),
    idempotency_key TEXT NOT NULL,
    amount_micros BIGINT NOT NULL CHECK (amount_micros > 0),
    -- of the budget, after it
    left_micros BIGINT NOT NULL CHECK (left_micros >= 0),
    merchant TEXT NOT NULL,
    settlement_token TEXT NOT NULL,
    at_ms BIGINT NOT NULL,
    UNIQUE (agent_id, idempotency_key)
);
