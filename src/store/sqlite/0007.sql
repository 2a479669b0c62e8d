-- 1: the person called us; what is counted and throttled are our own calls.
ALTER TABLE attempts ADD COLUMN incoming INTEGER NOT NULL DEFAULT 0 CHECK (incoming IN (0, 1));

-- Digits that were not a person's PIN, entered by phone.
CREATE TABLE wrong_pins (
    jid TEXT NOT NULL,
    at  INTEGER NOT NULL
) STRICT;
CREATE INDEX wrong_pins_of_person ON wrong_pins (jid, at);
