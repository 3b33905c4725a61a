-- Who holds money.
CREATE TABLE wallets (
    id TEXT PRIMARY KEY,
    -- NULL: the house's, from which all money comes
    account_id TEXT UNIQUE REFERENCES accounts (id),
    created_at_ms BIGINT NOT NULL,
    CHECK ((account_id IS NULL) = (id = 'wal_0000-0000-0000-0000'))
);
INSERT INTO wallets (id, account_id, created_at_ms) VALUES ('wal_0000-0000-0000-0000', NULL, 0);

CREATE TABLE transfers (
    id TEXT PRIMARY KEY,
    note TEXT,
    at_ms BIGINT NOT NULL
);

-- Append-only: two of each transfer, one in each wallet. Amounts are millionths of a US dollar.
--
-- That the sum over all wallets is 0, and that a balance is the sum of its wallet's entries, is the
-- database's to hold, whatever a program asks it to write: each entry has its counterpart, which is as much
-- the other way, and begins with what the entry before it in its wallet left.
CREATE TABLE ledger_entries (
    wallet_id TEXT NOT NULL REFERENCES wallets (id),
    -- counts the entries of the wallet, from 1
    number BIGINT NOT NULL,
    -- NULL: this is the wallet's first, which begins with nothing
    previous BIGINT,
    transfer_id TEXT NOT NULL REFERENCES transfers (id),
    -- 1 or 2 of the transfer
    side BIGINT NOT NULL CHECK (side IN (1, 2)),
    before_micros BIGINT NOT NULL,
    change_micros BIGINT NOT NULL CHECK (change_micros <> 0),
    counter_micros BIGINT NOT NULL,
    -- what is in the wallet since; only the house may owe, and nobody a billion dollars
    after_micros BIGINT NOT NULL,
    PRIMARY KEY (wallet_id, number),
    CHECK (after_micros >= 0 OR wallet_id = 'wal_0000-0000-0000-0000'),
    CHECK (after_micros > -1000000000000000 AND after_micros < 1000000000000000),

    -- the counterpart
    CHECK (counter_micros = -change_micros),
    UNIQUE (transfer_id, change_micros),
    FOREIGN KEY (transfer_id, counter_micros) REFERENCES ledger_entries (transfer_id, change_micros),

    -- the entry before
    CHECK (COALESCE(previous, 0) = number - 1 AND (previous IS NOT NULL OR before_micros = 0)),
    CHECK (after_micros = before_micros + change_micros),
    UNIQUE (wallet_id, number, after_micros),
    FOREIGN KEY (wallet_id, previous, before_micros)
        REFERENCES ledger_entries (wallet_id, number, after_micros),

    -- a transfer is done once, and nobody pays themselves
    UNIQUE (transfer_id, side),
    UNIQUE (transfer_id, wallet_id)
);
