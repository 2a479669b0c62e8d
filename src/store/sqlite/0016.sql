-- Everything that rings has one row here, and every limit is counted in these rows. Erasure takes the JIDs from them, never
-- the rows.

-- What numbers and JIDs are hashed with.
CREATE TABLE ring_key (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    key  BLOB NOT NULL
) STRICT;
INSERT INTO ring_key VALUES (1, randomblob(16));

CREATE TABLE rings (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    kind         TEXT NOT NULL CHECK (kind IN ('message', 'code', 'test', 'in')),
    -- What it is for; its row may be forgotten earlier than this one.
    attempt      INTEGER UNIQUE,
    verification INTEGER UNIQUE,
    -- Keyed hash, and the first digits after the +, at most six and never the last four.
    number       TEXT NOT NULL,
    area         TEXT NOT NULL,
    -- Keyed hash of the person; NULL where it is not known whose number it is. The JID goes by erasure.
    callee       TEXT,
    callee_jid   TEXT,
    started      INTEGER NOT NULL,
    counted      INTEGER NOT NULL,
    ended        INTEGER,
    outcome      TEXT,
    trunk        TEXT,
    talked_ms    INTEGER,
    -- 0 only where it is certain that no INVITE of ours left.
    invited      INTEGER NOT NULL DEFAULT 1 CHECK (invited IN (0, 1)),
    -- 1: the code that was spoken came back.
    entered      INTEGER NOT NULL DEFAULT 0 CHECK (entered IN (0, 1))
) STRICT;
CREATE INDEX rings_of_number ON rings (number, counted);
CREATE INDEX rings_started ON rings (counted) WHERE invited = 1;
CREATE INDEX rings_of_codes ON rings (counted) WHERE kind = 'code';
CREATE INDEX rings_of_area ON rings (area, counted) WHERE kind = 'code';
CREATE INDEX rings_named ON rings (callee_jid) WHERE callee_jid IS NOT NULL;

-- Numbers, as keyed hashes, whose callee wants to be called for no code again.
CREATE TABLE code_refusals (
    number TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;

-- Who caused a ring: the senders of its messages, the one who asked for the code.
CREATE TABLE ring_askers (
    ring      INTEGER NOT NULL REFERENCES rings (id) ON DELETE CASCADE,
    -- Keyed hash, and the JID until erasure.
    asker     TEXT NOT NULL,
    asker_jid TEXT,
    counted   INTEGER NOT NULL,
    PRIMARY KEY (ring, asker)
) STRICT, WITHOUT ROWID;
CREATE INDEX ring_askers_of ON ring_askers (asker, counted);
CREATE INDEX ring_askers_named ON ring_askers (asker_jid) WHERE asker_jid IS NOT NULL;

-- The calls so far. What stands here as it is read is hashed at the next start, as SQL has no keyed hash.
INSERT INTO rings (kind, attempt, number, area, callee, callee_jid, started, counted, ended, outcome, trunk, talked_ms, invited)
    SELECT iif(incoming = 1, 'in', 'message'), id, number, substr(number, 2, min(6, max(length(number) - 5, 0))),
        recipient, recipient, started, counted, ended, outcome, trunk, talked_ms, invited
    FROM attempts ORDER BY id;
INSERT INTO ring_askers
    SELECT DISTINCT rings.id, sender_bare, sender_bare, rings.counted FROM rings
        JOIN attempt_messages ON attempt_messages.attempt = rings.attempt
        JOIN messages ON messages.id = message;
INSERT INTO rings (kind, verification, number, area, started, counted, ended, entered)
    SELECT 'code', id, number, substr(number, 2, min(6, max(length(number) - 5, 0))), asked, asked, asked, 0
    FROM verifications ORDER BY id;
INSERT INTO ring_askers
    SELECT rings.id, jid, jid, rings.counted FROM rings JOIN verifications ON verifications.id = verification;
