CREATE TABLE people (
    jid TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    number TEXT,
    offline TEXT NOT NULL CHECK (offline IN ('phone', 'store')),
    switched TEXT CHECK (switched IN ('phone', 'store')), -- the person's own choice, above the operator's
    language TEXT,
    quiet TEXT, -- NULL: the operator's hours; '': none; else HH:MM-HH:MM
    time_zone TEXT,
    configured INTEGER NOT NULL -- 0 once component.toml no longer names the person
) STRICT;

CREATE TABLE notifications (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    recipient TEXT NOT NULL REFERENCES people (jid),
    number TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'calling', 'closed')),
    due INTEGER, -- ms; waiting only
    why TEXT,
    lease_until INTEGER, -- ms; calling only
    attempt INTEGER,
    closing TEXT,
    attempts INTEGER NOT NULL DEFAULT 0,
    troubles INTEGER NOT NULL DEFAULT 0,
    version INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE UNIQUE INDEX one_open_per_recipient ON notifications (recipient) WHERE state <> 'closed';
CREATE INDEX due_notifications ON notifications (due) WHERE state = 'waiting';

CREATE TABLE messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    received INTEGER NOT NULL, -- ms
    sender TEXT NOT NULL,
    sender_bare TEXT NOT NULL,
    recipient TEXT NOT NULL REFERENCES people (jid),
    stanza_id TEXT,
    body TEXT NOT NULL, -- emptied when the message is no longer held
    language TEXT,
    wants_receipt INTEGER NOT NULL,
    may_ring INTEGER NOT NULL,
    stanza TEXT NOT NULL, -- emptied when the message is no longer held
    status_stanza_id TEXT NOT NULL,
    handling INTEGER NOT NULL DEFAULT 0, -- calls begun about it that have not shown a sign of life
    heard INTEGER, -- ms
    key TEXT,
    delivered INTEGER, -- ms
    gone INTEGER, -- ms; expired or set aside
    fate TEXT
) STRICT;
CREATE INDEX held_messages ON messages (recipient, id) WHERE delivered IS NULL AND gone IS NULL;
CREATE INDEX repeated_messages ON messages (sender_bare, recipient, stanza_id);
CREATE INDEX old_messages ON messages (received) WHERE delivered IS NULL AND gone IS NULL;

CREATE TABLE attempts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    notification INTEGER NOT NULL REFERENCES notifications (id),
    recipient TEXT NOT NULL,
    number TEXT NOT NULL,
    intended INTEGER NOT NULL, -- ms; written before the INVITE leaves
    ringing INTEGER,
    answered INTEGER,
    ended INTEGER,
    outcome TEXT,
    status INTEGER,
    ring_ms INTEGER,
    talk_ms INTEGER,
    trunk TEXT,
    sip_call_id TEXT
) STRICT;
CREATE INDEX calls_to_number ON attempts (number, intended);
CREATE INDEX calls_by_time ON attempts (intended);

CREATE TABLE attempt_messages (
    attempt INTEGER NOT NULL REFERENCES attempts (id),
    message INTEGER NOT NULL REFERENCES messages (id),
    PRIMARY KEY (attempt, message)
) STRICT, WITHOUT ROWID;
CREATE INDEX message_attempts ON attempt_messages (message);

CREATE TABLE replies (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    message INTEGER NOT NULL REFERENCES messages (id),
    stanza_id TEXT NOT NULL,
    kind TEXT NOT NULL, -- status, answer, receipt, delivery, calls_off, set_aside
    status TEXT,
    why TEXT,
    outcome TEXT,
    at INTEGER, -- ms; the instant the status speaks of
    key TEXT,
    words TEXT,
    created INTEGER NOT NULL, -- ms
    handed_out INTEGER NOT NULL DEFAULT 0, -- it may have been sent
    sent INTEGER -- ms
) STRICT;
CREATE INDEX owed_replies ON replies (id) WHERE sent IS NULL;
CREATE INDEX message_replies ON replies (message);
