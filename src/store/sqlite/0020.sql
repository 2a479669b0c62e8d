-- What operators and people are told without having asked, and who did what.

CREATE TABLE alerts (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    -- Who reads it; NULL: the operators.
    reader  TEXT,
    kind    TEXT NOT NULL CHECK (kind IN ('calls', 'minutes', 'codes', 'number', 'pin_locked', 'wrong_pin',
        'your_pin_locked', 'trunk_failed', 'trunk_works', 'reported')),
    -- What it is about: how numbers of a country begin, a trunk, the first digits of a number.
    subject TEXT NOT NULL,
    -- Keyed hash of the number, where it is about one.
    number  TEXT NOT NULL,
    -- Whom it is about, and who has written to them.
    person  TEXT,
    sender  TEXT,
    -- How much it is, and how much it may be.
    amount  INTEGER NOT NULL,
    most    INTEGER NOT NULL,
    counted INTEGER NOT NULL,
    due     INTEGER NOT NULL,
    told    INTEGER
) STRICT;
CREATE INDEX alerts_untold ON alerts (due) WHERE told IS NULL;
CREATE INDEX alerts_of_kind ON alerts (kind, subject, counted);

-- Rows are added, and after ninety days erased; erasure of a person takes JIDs from them and leaves the hashes.
CREATE TABLE audit (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    at           INTEGER NOT NULL,
    counted      INTEGER NOT NULL,
    action       TEXT NOT NULL CHECK (action IN ('setting', 'number', 'command', 'erasure', 'block', 'report', 'limit')),
    what         TEXT NOT NULL,
    -- Who did it; NULL: the operator on the machine, or nobody. Keyed hash, and JID with resource until erasure.
    who          TEXT,
    who_jid      TEXT,
    resource     TEXT,
    -- Whom else it was about.
    about        TEXT,
    about_jid    TEXT,
    -- Keyed hashes of the value before and after; NULL: there was none.
    value_before TEXT,
    value_after  TEXT
) STRICT;
CREATE INDEX audit_counted ON audit (counted);
CREATE INDEX audit_who ON audit (who_jid) WHERE who_jid IS NOT NULL;
CREATE INDEX audit_about ON audit (about_jid) WHERE about_jid IS NOT NULL;
CREATE TRIGGER audit_stays BEFORE UPDATE OF at, counted, action, what, who, about, value_before, value_after ON audit BEGIN
    SELECT RAISE(ABORT, 'the audit is only added to');
END;

-- Which words a call with a code has said, and its Call-ID.
ALTER TABLE verifications ADD COLUMN words TEXT;
ALTER TABLE verifications ADD COLUMN language TEXT;
ALTER TABLE verifications ADD COLUMN sip_call_id TEXT;

-- What people have agreed to by sending back the code that a call had spoken.
CREATE TABLE consents (
    id           INTEGER PRIMARY KEY,
    jid          TEXT NOT NULL,
    number       TEXT NOT NULL,
    verification INTEGER NOT NULL,
    words        TEXT,
    language     TEXT,
    at           INTEGER NOT NULL,
    sip_call_id  TEXT
) STRICT;
CREATE INDEX consents_of ON consents (jid);

-- The number while its phone may ring or talk: never two calls at once, of whatever kind. Of a code it is given back at
-- some time, should the end of its call be lost; a call for messages has a lease of its own.
ALTER TABLE rings ADD COLUMN on_the_line TEXT;
ALTER TABLE rings ADD COLUMN line_until INTEGER;
UPDATE rings SET on_the_line = (SELECT number FROM attempts WHERE id = rings.attempt)
    WHERE attempt IN (SELECT id FROM attempts WHERE ended IS NULL);
CREATE UNIQUE INDEX rings_on_the_line ON rings (on_the_line) WHERE on_the_line IS NOT NULL;
