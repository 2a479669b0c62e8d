-- What counts against the minutes of a day: calls that talked, that run, or whose end is not known.
CREATE INDEX rings_talked ON rings (counted)
    WHERE invited = 1 AND (ended IS NULL OR outcome = 'interrupted' OR talked_ms > 0);

-- 1: the PIN was entered on a phone that is not the person's.
ALTER TABLE wrong_pins ADD COLUMN elsewhere INTEGER NOT NULL DEFAULT 0 CHECK (elsewhere IN (0, 1));
