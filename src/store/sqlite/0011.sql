-- A crash is blamed on a message only if that was alone on the line: earlier suspicions say less. What was set aside is
-- not phoned about, but delivered like all that is held.
UPDATE messages SET crash_suspect = 0 WHERE crash_suspect > 0;
UPDATE messages SET declined = coalesce(declined, ended), ended = NULL, ending = NULL WHERE ending = 'set_aside';
DELETE FROM replies WHERE content = 'set_aside';
DELETE FROM tallies;
INSERT INTO tallies
    SELECT kind, jid, count(*), sum(bytes) FROM (
        SELECT 'all' AS kind, '' AS jid, length(CAST(body AS BLOB)) + length(CAST(stanza AS BLOB)) AS bytes
            FROM messages WHERE ended IS NULL
        UNION ALL SELECT 'recipient', recipient, length(CAST(body AS BLOB)) + length(CAST(stanza AS BLOB))
            FROM messages WHERE ended IS NULL
        UNION ALL SELECT 'sender', sender_bare, length(CAST(body AS BLOB)) + length(CAST(stanza AS BLOB))
            FROM messages WHERE ended IS NULL
    ) GROUP BY kind, jid;

-- At most one call to a number is on the line. What an earlier version left doubly on it waits again.
UPDATE notifications SET state = 'waiting', due = opened, why = 'retry', attempt = NULL, lease_until = NULL
    WHERE state = 'calling' AND attempt NOT IN (SELECT max(id) FROM attempts WHERE ended IS NULL GROUP BY number);
UPDATE attempts SET ended = started, outcome = 'interrupted'
    WHERE ended IS NULL AND id NOT IN (SELECT max(id) FROM attempts WHERE ended IS NULL GROUP BY number);
DROP INDEX attempts_live;
CREATE UNIQUE INDEX attempts_live ON attempts (number) WHERE ended IS NULL;

-- Raised by each commit that changes something, so that one whose COMMIT has failed can be looked up.
CREATE TABLE commits (
    only   INTEGER PRIMARY KEY CHECK (only = 1),
    number INTEGER NOT NULL
) STRICT;
INSERT INTO commits VALUES (1, 0);
