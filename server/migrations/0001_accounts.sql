-- Portable SQL: SQLite and PostgreSQL run the same files. `blob` is a domain over bytea in PostgreSQL.
-- Times are milliseconds since 1970.

-- One row, or none: who inserts it makes the first account, and nobody else ever does.
CREATE TABLE setup (
    one BIGINT PRIMARY KEY CHECK (one = 1),
    done_at_ms BIGINT NOT NULL
);

CREATE TABLE accounts (
    id TEXT PRIMARY KEY,
    user_handle blob NOT NULL UNIQUE,
    name TEXT NOT NULL,
    email TEXT NOT NULL,
    -- lower-cased, so that an address belongs to one account
    email_key TEXT NOT NULL UNIQUE,
    role TEXT NOT NULL,
    tier TEXT NOT NULL,
    -- raising it ends every session
    epoch BIGINT NOT NULL,
    -- the id of the newest activity event
    activity_count BIGINT NOT NULL DEFAULT 0,
    created_at_ms BIGINT NOT NULL
);

CREATE TABLE passkeys (
    id TEXT PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id),
    credential_id blob NOT NULL UNIQUE,
    public_key blob NOT NULL,
    aaguid blob NOT NULL,
    sign_count BIGINT NOT NULL,
    backup_eligible BOOLEAN NOT NULL,
    backup_state BOOLEAN NOT NULL,
    -- comma-separated
    transports TEXT NOT NULL,
    name TEXT NOT NULL,
    browser TEXT NOT NULL,
    system TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    last_used_at_ms BIGINT,
    suspect_at_ms BIGINT,
    disabled_at_ms BIGINT
);
CREATE INDEX passkeys_by_account ON passkeys (account_id, created_at_ms);

CREATE TABLE sessions (
    id TEXT PRIMARY KEY,
    -- SHA-256 of the cookie
    token_hash blob NOT NULL UNIQUE,
    account_id TEXT NOT NULL REFERENCES accounts (id),
    passkey_id TEXT NOT NULL REFERENCES passkeys (id),
    -- RFC 7638 thumbprint of the PoP key
    jkt TEXT NOT NULL,
    epoch BIGINT NOT NULL,
    browser TEXT NOT NULL,
    system TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    last_seen_at_ms BIGINT NOT NULL,
    -- rows stay: an ended session's thumbprint tells a lagging tab from a thief
    ended_at_ms BIGINT
);
CREATE INDEX sessions_by_account ON sessions (account_id, jkt);

-- Spent by removal.
CREATE TABLE ceremonies (
    id TEXT PRIMARY KEY,
    -- SHA-256 of the ceremony cookie of the browser that began it
    cookie_hash blob NOT NULL,
    -- SHA-256 of the token
    token_hash blob NOT NULL,
    -- what the ceremony's purpose needs, as JSON
    details TEXT NOT NULL,
    expires_at_ms BIGINT NOT NULL
);
CREATE INDEX ceremonies_by_expiry ON ceremonies (expires_at_ms);

-- SHA-256 over key thumbprint and `jti` of every DPoP proof that was taken.
CREATE TABLE proofs_seen (
    hash blob PRIMARY KEY,
    expires_at_ms BIGINT NOT NULL
);
CREATE INDEX proofs_seen_by_expiry ON proofs_seen (expires_at_ms);

CREATE TABLE recovery_code_lists (
    account_id TEXT PRIMARY KEY REFERENCES accounts (id),
    total BIGINT NOT NULL,
    created_at_ms BIGINT NOT NULL
);

CREATE TABLE recovery_codes (
    account_id TEXT NOT NULL REFERENCES recovery_code_lists (account_id),
    -- SHA-256 of the verifier, which is itself derived from the code
    verifier_hash blob NOT NULL,
    used_at_ms BIGINT,
    PRIMARY KEY (account_id, verifier_hash)
);

-- Append-only.
CREATE TABLE activity (
    account_id TEXT NOT NULL REFERENCES accounts (id),
    id BIGINT NOT NULL,
    at_ms BIGINT NOT NULL,
    -- JSON of protocol::history::Activity
    what TEXT NOT NULL,
    browser TEXT,
    system TEXT,
    session_id TEXT,
    PRIMARY KEY (account_id, id)
);

-- Spent by removal.
CREATE TABLE tickets (
    -- SHA-256 of the ticket
    hash blob PRIMARY KEY,
    session_id TEXT NOT NULL REFERENCES sessions (id),
    connection_id TEXT NOT NULL,
    stream TEXT NOT NULL,
    client_nonce TEXT NOT NULL,
    -- the public key that answers, as SEC 1 has it uncompressed
    key blob NOT NULL,
    expires_at_ms BIGINT NOT NULL
);
CREATE INDEX tickets_by_expiry ON tickets (expires_at_ms);
