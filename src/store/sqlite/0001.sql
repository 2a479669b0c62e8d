-- Times are milliseconds since 1970 in UTC. Words stand for states, so that the tables can be read as they are.

CREATE TABLE subscribers (
    jid         TEXT PRIMARY KEY,
    name        TEXT NOT NULL,
    number      TEXT,
    offline     TEXT NOT NULL CHECK (offline IN ('phone', 'store')),
    -- The person's own choice; it outlives what the operator configures.
    switched    TEXT CHECK (switched IN ('phone', 'store')),
    switched_at INTEGER,
    language    TEXT,
    quiet       TEXT,
    time_zone   TEXT,
    -- 0: no longer known; the row only remembers the person's own choice.
    known       INTEGER NOT NULL CHECK (known IN (0, 1))
) STRICT, WITHOUT ROWID;

CREATE TABLE messages (
    id               INTEGER PRIMARY KEY AUTOINCREMENT,
    recipient        TEXT NOT NULL,
    sender           TEXT NOT NULL,
    sender_bare      TEXT NOT NULL,
    stanza_id        TEXT,
    body             TEXT NOT NULL,
    language         TEXT,
    wants_receipt    INTEGER NOT NULL,
    stanza           TEXT NOT NULL,
    status_stanza_id TEXT NOT NULL UNIQUE,
    received         INTEGER NOT NULL,
    heard            INTEGER,
    answered         INTEGER,
    declined         INTEGER,
    -- How often its handling began without coming to the first ringing.
    unproven         INTEGER NOT NULL DEFAULT 0,
    ended            INTEGER,
    ending           TEXT CHECK (ending IN ('delivered', 'heard', 'expired', 'set_aside')),
    -- 1: text and stanza have been erased.
    wiped            INTEGER NOT NULL DEFAULT 0,
    CHECK ((ended IS NULL) = (ending IS NULL))
) STRICT;
CREATE INDEX messages_held ON messages (recipient, id) WHERE ended IS NULL;
CREATE INDEX messages_waiting ON messages (recipient, id)
    WHERE ended IS NULL AND heard IS NULL AND answered IS NULL AND declined IS NULL;
CREATE INDEX messages_same ON messages (recipient, sender_bare, stanza_id);
CREATE INDEX messages_received ON messages (received) WHERE ended IS NULL;
CREATE INDEX messages_to_wipe ON messages (ended) WHERE ended IS NOT NULL AND wiped = 0;
CREATE INDEX messages_ended ON messages (ended) WHERE ended IS NOT NULL;

-- What is held, by whom it is waited for and by whom it was sent: kept by triggers, so that a limit costs no count.
CREATE TABLE tallies (
    kind  TEXT NOT NULL CHECK (kind IN ('all', 'recipient', 'sender')),
    jid   TEXT NOT NULL,
    held  INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    PRIMARY KEY (kind, jid)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER messages_counted AFTER INSERT ON messages BEGIN
    INSERT INTO tallies VALUES
        ('all', '', 1, octet_length(new.body) + octet_length(new.stanza)),
        ('recipient', new.recipient, 1, octet_length(new.body) + octet_length(new.stanza)),
        ('sender', new.sender_bare, 1, octet_length(new.body) + octet_length(new.stanza))
    ON CONFLICT DO UPDATE SET held = held + 1, bytes = bytes + excluded.bytes;
END;
CREATE TRIGGER messages_discounted AFTER UPDATE OF ended ON messages
    WHEN old.ended IS NULL AND new.ended IS NOT NULL
BEGIN
    UPDATE tallies SET held = held - 1, bytes = bytes - octet_length(old.body) - octet_length(old.stanza)
        WHERE (kind, jid) IN (VALUES ('all', ''), ('recipient', old.recipient), ('sender', old.sender_bare));
    DELETE FROM tallies WHERE held = 0
        AND (kind, jid) IN (VALUES ('recipient', old.recipient), ('sender', old.sender_bare));
END;

CREATE TABLE notifications (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    recipient   TEXT NOT NULL,
    number      TEXT NOT NULL,
    state       TEXT NOT NULL CHECK (state IN ('waiting', 'calling', 'closed')),
    due         INTEGER,
    why         TEXT,
    attempt     INTEGER,
    lease_until INTEGER,
    closing     TEXT,
    attempts    INTEGER NOT NULL DEFAULT 0,
    setbacks    INTEGER NOT NULL DEFAULT 0,
    last_outcome     TEXT,
    last_ended       INTEGER,
    last_retry_after INTEGER,
    opened      INTEGER NOT NULL,
    closed      INTEGER,
    version     INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE UNIQUE INDEX notifications_open ON notifications (recipient) WHERE state <> 'closed';
CREATE INDEX notifications_due ON notifications (due) WHERE state = 'waiting';
CREATE INDEX notifications_closed ON notifications (closed) WHERE state = 'closed';

CREATE TABLE attempts (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    notification INTEGER NOT NULL REFERENCES notifications (id),
    recipient    TEXT NOT NULL,
    number       TEXT NOT NULL,
    started      INTEGER NOT NULL,
    lease_until  INTEGER NOT NULL,
    rung         INTEGER,
    answered     INTEGER,
    ended        INTEGER,
    outcome      TEXT,
    status       INTEGER,
    rang_ms      INTEGER,
    talked_ms    INTEGER,
    sip_call_id  TEXT,
    trunk        TEXT,
    stop_calls   INTEGER,
    -- 0 only where it is certain that no INVITE left.
    invited      INTEGER NOT NULL DEFAULT 1
) STRICT;
CREATE INDEX attempts_live ON attempts (number) WHERE ended IS NULL;
CREATE INDEX attempts_leased ON attempts (lease_until) WHERE ended IS NULL;
CREATE INDEX attempts_of_number ON attempts (number, started) WHERE invited = 1;
CREATE INDEX attempts_of_recipient ON attempts (recipient, started) WHERE invited = 1;
CREATE INDEX attempts_ended ON attempts (ended) WHERE ended IS NOT NULL;
CREATE INDEX attempts_of_notification ON attempts (notification);
CREATE INDEX attempts_started ON attempts (started) WHERE invited = 1;

CREATE TABLE attempt_messages (
    attempt INTEGER NOT NULL REFERENCES attempts (id) ON DELETE CASCADE,
    message INTEGER NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
    joined  INTEGER NOT NULL,
    spoken  INTEGER,
    PRIMARY KEY (attempt, message)
) STRICT, WITHOUT ROWID;
CREATE INDEX attempt_messages_of_message ON attempt_messages (message);

CREATE TABLE replies (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    message   INTEGER NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
    stanza_id TEXT NOT NULL UNIQUE,
    content   TEXT NOT NULL CHECK (content IN ('status', 'answer', 'receipt', 'delivery', 'calls_switched_off', 'set_aside')),
    status    TEXT,
    call_at   INTEGER,
    why       TEXT,
    outcome   TEXT,
    key       TEXT,
    words     TEXT,
    owed      INTEGER NOT NULL,
    sent      INTEGER,
    CHECK ((content = 'status') = (status IS NOT NULL)),
    CHECK ((content = 'answer') = (words IS NOT NULL))
) STRICT;
CREATE INDEX replies_owed ON replies (id) WHERE sent IS NULL;
CREATE INDEX replies_of_message ON replies (message);

-- What happened to a message, step by step, for `offhook trace`.
CREATE TABLE events (
    id      INTEGER PRIMARY KEY,
    message INTEGER NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
    at      INTEGER NOT NULL,
    what    TEXT NOT NULL
) STRICT;
CREATE INDEX events_of_message ON events (message);
