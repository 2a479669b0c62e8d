-- Columns in the field's words, and one name for the messages that wait for a call.

ALTER TABLE messages RENAME COLUMN parked TO awaiting_sender_check;
-- How often a call that read it broke off without coming to the first ringing.
ALTER TABLE messages RENAME COLUMN unproven TO crash_suspect;
-- 1: its sender said that it is a program.
ALTER TABLE messages ADD COLUMN from_program INTEGER NOT NULL DEFAULT 0 CHECK (from_program IN (0, 1));
ALTER TABLE attempts RENAME COLUMN line TO quality;
ALTER TABLE house RENAME TO component_settings;

-- What a person is still to be phoned about.
CREATE VIEW waiting_messages AS
    SELECT * FROM messages
    WHERE ended IS NULL AND heard IS NULL AND answered IS NULL AND declined IS NULL AND awaiting_sender_check = 0;

-- length of a BLOB, as octet_length is unknown to SQLite before 3.43: its own command line can write to the tables.
DROP TRIGGER messages_counted;
CREATE TRIGGER messages_counted AFTER INSERT ON messages BEGIN
    INSERT INTO tallies VALUES
        ('all', '', 1, length(CAST(new.body AS BLOB)) + length(CAST(new.stanza AS BLOB))),
        ('recipient', new.recipient, 1, length(CAST(new.body AS BLOB)) + length(CAST(new.stanza AS BLOB))),
        ('sender', new.sender_bare, 1, length(CAST(new.body AS BLOB)) + length(CAST(new.stanza AS BLOB)))
    ON CONFLICT DO UPDATE SET held = held + 1, bytes = bytes + excluded.bytes;
END;
DROP TRIGGER messages_discounted;
CREATE TRIGGER messages_discounted AFTER UPDATE OF ended ON messages
    WHEN old.ended IS NULL AND new.ended IS NOT NULL
BEGIN
    UPDATE tallies SET held = held - 1,
            bytes = bytes - length(CAST(old.body AS BLOB)) - length(CAST(old.stanza AS BLOB))
        WHERE (kind = 'all' AND jid = '') OR (kind = 'recipient' AND jid = old.recipient)
            OR (kind = 'sender' AND jid = old.sender_bare);
    DELETE FROM tallies WHERE held = 0
        AND ((kind = 'recipient' AND jid = old.recipient) OR (kind = 'sender' AND jid = old.sender_bare));
END;
-- A message that is taken back or erased while it is held.
CREATE TRIGGER messages_removed AFTER DELETE ON messages WHEN old.ended IS NULL BEGIN
    UPDATE tallies SET held = held - 1,
            bytes = bytes - length(CAST(old.body AS BLOB)) - length(CAST(old.stanza AS BLOB))
        WHERE (kind = 'all' AND jid = '') OR (kind = 'recipient' AND jid = old.recipient)
            OR (kind = 'sender' AND jid = old.sender_bare);
    DELETE FROM tallies WHERE held = 0
        AND ((kind = 'recipient' AND jid = old.recipient) OR (kind = 'sender' AND jid = old.sender_bare));
END;
-- A correction changes what a held message takes up.
CREATE TRIGGER messages_corrected AFTER UPDATE OF body, stanza ON messages
    WHEN old.ended IS NULL AND new.ended IS NULL
BEGIN
    UPDATE tallies SET bytes = bytes
            + length(CAST(new.body AS BLOB)) + length(CAST(new.stanza AS BLOB))
            - length(CAST(old.body AS BLOB)) - length(CAST(old.stanza AS BLOB))
        WHERE (kind = 'all' AND jid = '') OR (kind = 'recipient' AND jid = old.recipient)
            OR (kind = 'sender' AND jid = old.sender_bare);
END;
