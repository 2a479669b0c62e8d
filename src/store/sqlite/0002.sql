-- Voice answers, and what is owed because of them.

CREATE TABLE recordings (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    -- Forgotten with the message; the file lives as long as its link.
    message    INTEGER REFERENCES messages (id) ON DELETE SET NULL,
    recipient  TEXT NOT NULL,
    sender     TEXT NOT NULL,
    -- Unguessable, never used twice: the link's secret part, and what a sealed recording is bound to.
    name       TEXT NOT NULL UNIQUE,
    taken      INTEGER NOT NULL,
    length_ms  INTEGER NOT NULL,
    -- 1: the call broke off in the middle.
    cut        INTEGER NOT NULL CHECK (cut IN (0, 1)),
    -- waiting: as it came from the line. sent: the file that was linked, while it is served here. It may be sealed.
    state      TEXT NOT NULL CHECK (state IN ('waiting', 'sent')),
    sound      BLOB,
    tries      INTEGER NOT NULL DEFAULT 0,
    due        INTEGER,
    -- What the sender has been told about the delay.
    told       TEXT CHECK (told IN ('late', 'no_way')),
    url        TEXT,
    file_name  TEXT,
    media_type TEXT,
    octets     INTEGER,
    -- The stanza that a transcript is added to (XEP-0308).
    note_stanza_id TEXT,
    transcript TEXT
) STRICT;
CREATE INDEX recordings_due ON recordings (due) WHERE state = 'waiting';
CREATE INDEX recordings_kept ON recordings (taken) WHERE sound IS NOT NULL;
CREATE INDEX recordings_of_message ON recordings (message);

CREATE TABLE replies_of_both_kinds (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    message   INTEGER NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
    stanza_id TEXT NOT NULL UNIQUE,
    content   TEXT NOT NULL CHECK (content IN ('status', 'answer', 'receipt', 'delivery', 'calls_switched_off', 'set_aside', 'voice')),
    status    TEXT,
    call_at   INTEGER,
    why       TEXT,
    outcome   TEXT,
    key       TEXT,
    words     TEXT,
    recording INTEGER REFERENCES recordings (id) ON DELETE CASCADE,
    news      TEXT CHECK (news IN ('file', 'note', 'transcript', 'late', 'no_way')),
    owed      INTEGER NOT NULL,
    sent      INTEGER,
    CHECK ((content = 'status') = (status IS NOT NULL)),
    CHECK ((content = 'answer') = (words IS NOT NULL)),
    CHECK ((content = 'voice') = (recording IS NOT NULL AND news IS NOT NULL))
) STRICT;
INSERT INTO replies_of_both_kinds (id, message, stanza_id, content, status, call_at, why, outcome, key, words, owed, sent)
    SELECT id, message, stanza_id, content, status, call_at, why, outcome, key, words, owed, sent FROM replies;
DROP TABLE replies;
ALTER TABLE replies_of_both_kinds RENAME TO replies;
CREATE INDEX replies_owed ON replies (id) WHERE sent IS NULL;
CREATE INDEX replies_of_message ON replies (message);

-- People whose data the operator wants removed; whoever has the file open does it.
CREATE TABLE erasures (
    jid TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;
