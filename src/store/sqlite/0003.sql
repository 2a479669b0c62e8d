-- What people set themselves, how their numbers are verified, and how a message came.

-- 1: the person has registered; the row is theirs and outlives what the operator configures.
ALTER TABLE subscribers ADD COLUMN registered INTEGER NOT NULL DEFAULT 0 CHECK (registered IN (0, 1));
-- The person's own choices go before what is configured.
ALTER TABLE subscribers ADD COLUMN own_number TEXT;
ALTER TABLE subscribers ADD COLUMN own_second TEXT;
ALTER TABLE subscribers ADD COLUMN own_language TEXT;
ALTER TABLE subscribers ADD COLUMN own_quiet TEXT;
ALTER TABLE subscribers ADD COLUMN own_time_zone TEXT;
ALTER TABLE subscribers ADD COLUMN pin TEXT;
ALTER TABLE subscribers ADD COLUMN senders TEXT CHECK (senders IN ('domain', 'contacts', 'everyone'));
CREATE INDEX subscribers_number ON subscribers (own_number) WHERE own_number IS NOT NULL;
CREATE INDEX subscribers_second ON subscribers (own_second) WHERE own_second IS NOT NULL;

CREATE TABLE sender_rules (
    person TEXT NOT NULL,
    sender TEXT NOT NULL,
    rule   TEXT NOT NULL CHECK (rule IN ('allow', 'block')),
    PRIMARY KEY (person, sender)
) STRICT, WITHOUT ROWID;

-- Calls that speak a code, also those that were never answered: limits are counted here.
CREATE TABLE verifications (
    id     INTEGER PRIMARY KEY AUTOINCREMENT,
    jid    TEXT NOT NULL,
    number TEXT NOT NULL,
    place  TEXT NOT NULL CHECK (place IN ('first', 'second')),
    -- Erased once it is of no more use.
    code   TEXT,
    asked  INTEGER NOT NULL,
    -- When somebody asked to hear it; before, it opens nothing.
    spoken INTEGER,
    wrong  INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX verifications_of_person ON verifications (jid, asked);
CREATE INDEX verifications_of_number ON verifications (number, asked);
CREATE INDEX verifications_asked ON verifications (asked);

-- What holds for the whole house until it is changed: 'suspended'.
CREATE TABLE house (
    what TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;

-- The recipient's own server keeps and delivers it; here is a copy.
ALTER TABLE messages ADD COLUMN handed_over TEXT
    CHECK (handed_over IN ('offline', 'hibernating', 'unacked', 'unreceipted'));
-- 1: it is not known yet whether a program has sent it; nobody is phoned about it before.
ALTER TABLE messages ADD COLUMN parked INTEGER NOT NULL DEFAULT 0 CHECK (parked IN (0, 1));
ALTER TABLE messages ADD COLUMN from_contact INTEGER NOT NULL DEFAULT 0 CHECK (from_contact IN (0, 1));
-- The second number is being phoned.
ALTER TABLE notifications ADD COLUMN second INTEGER NOT NULL DEFAULT 0 CHECK (second IN (0, 1));
