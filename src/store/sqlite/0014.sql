-- Ages, pauses and leases count time that no setting of the wall clock moves; what people read stays wall time.
-- Counted already, as nothing else shows them: due, opened, closed, last_ended and lease_until of notifications,
-- lease_until of attempts, taken and due of recordings, all of verifications, and wrong_pins.

-- How the clocks stood when they were last compared, and at the last commit.
CREATE TABLE clocks (
    only       INTEGER PRIMARY KEY CHECK (only = 1),
    -- How far the wall clock is ahead of counted time.
    ahead      INTEGER NOT NULL,
    -- Counted time of the last commit.
    seen       INTEGER,
    -- Which start of the machine it was, and the counted time of that start.
    boot       TEXT,
    boot_began INTEGER,
    -- So much has passed by the wall clock while the machine was off; it is counted once that clock has proved itself.
    unproved   INTEGER
) STRICT;
INSERT INTO clocks (only, ahead, seen) VALUES (1, 0, (SELECT max(received) FROM messages));

-- When the message was received, and when it ended.
ALTER TABLE messages ADD COLUMN counted INTEGER NOT NULL DEFAULT 0;
ALTER TABLE messages ADD COLUMN counted_end INTEGER;
UPDATE messages SET counted = received, counted_end = ended;
DROP INDEX messages_received;
CREATE INDEX messages_received ON messages (counted) WHERE ended IS NULL;
DROP INDEX messages_ended;
CREATE INDEX messages_ended ON messages (counted_end) WHERE ended IS NOT NULL;

-- When the call was started.
ALTER TABLE attempts ADD COLUMN counted INTEGER NOT NULL DEFAULT 0;
UPDATE attempts SET counted = started;
DROP INDEX attempts_of_number;
CREATE INDEX attempts_of_number ON attempts (number, counted) WHERE invited = 1;
DROP INDEX attempts_of_recipient;
CREATE INDEX attempts_of_recipient ON attempts (recipient, counted) WHERE invited = 1;
DROP INDEX attempts_started;
CREATE INDEX attempts_started ON attempts (counted) WHERE invited = 1;
DROP INDEX attempts_ended;
CREATE INDEX attempts_ended ON attempts (counted) WHERE ended IS NOT NULL;
