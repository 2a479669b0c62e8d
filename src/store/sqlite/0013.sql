-- A stanza counts as arrived when no error came for it within a minute after the server had it. Until then a message
-- that is delivered stays held.
ALTER TABLE replies ADD COLUMN settled INTEGER;
-- How often it came back, and when it goes again, in counted time.
ALTER TABLE replies ADD COLUMN returns INTEGER NOT NULL DEFAULT 0;
ALTER TABLE replies ADD COLUMN due INTEGER;
UPDATE replies SET settled = sent;
CREATE INDEX replies_unsettled ON replies (id) WHERE sent IS NOT NULL AND settled IS NULL;
-- A word about a message goes before held messages, however many of these there are.
CREATE INDEX replies_owed_news ON replies (id) WHERE sent IS NULL AND content <> 'delivery';
CREATE INDEX replies_owed_deliveries ON replies (id) WHERE sent IS NULL AND content = 'delivery';
DROP INDEX replies_owed;

-- The message is on its way to the recipient: because they are online, or because its time is up.
ALTER TABLE messages ADD COLUMN delivering TEXT CHECK (delivering IN ('online', 'time_up'));
-- 1: the server ends the stream over the stanza, and only its text is delivered. 2: over that, too; it is not delivered.
ALTER TABLE messages ADD COLUMN ends_stream INTEGER NOT NULL DEFAULT 0 CHECK (ends_stream IN (0, 1, 2));
DROP VIEW waiting_messages;
CREATE VIEW waiting_messages AS
    SELECT * FROM messages
    WHERE ended IS NULL AND heard IS NULL AND answered IS NULL AND declined IS NULL AND awaiting_sender_check = 0
        AND delivering IS NULL;
DROP INDEX messages_received;
CREATE INDEX messages_received ON messages (received) WHERE ended IS NULL AND delivering IS NULL;
