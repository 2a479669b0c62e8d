-- What is owed, expired and planned anew by the thousand goes in slices, and behind what somebody waits for.

-- 1: owed to many at once, such as what is delivered when somebody comes online.
ALTER TABLE replies ADD COLUMN bulk INTEGER NOT NULL DEFAULT 0 CHECK (bulk IN (0, 1));
UPDATE replies SET bulk = 1 WHERE sent IS NULL AND content = 'delivery';
DROP INDEX replies_owed_news;
DROP INDEX replies_owed_deliveries;
CREATE INDEX replies_owed ON replies (bulk, id) WHERE sent IS NULL;
-- Where a recording goes, its stanzas are looked for.
CREATE INDEX replies_of_recording ON replies (recording) WHERE recording IS NOT NULL;
CREATE INDEX recordings_silent ON recordings (taken) WHERE sound IS NULL;

-- People who have come online: what was held for them, behind one message and up to
-- another, is still to become owed to them.
CREATE TABLE begun_deliveries (
    recipient TEXT PRIMARY KEY,
    behind    INTEGER NOT NULL,
    upto      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What a start and a trunk that works again look for.
CREATE INDEX messages_awaiting_check ON messages (id) WHERE awaiting_sender_check = 1 AND ended IS NULL;
CREATE INDEX notifications_trunk_failed ON notifications (due)
    WHERE state = 'waiting' AND last_outcome = 'trunk_failed';
