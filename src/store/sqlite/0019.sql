-- The `id` of the status message that this one corrects; NULL: it corrects none.
ALTER TABLE replies ADD COLUMN replaces TEXT;
UPDATE replies SET replaces = (SELECT status_stanza_id FROM messages WHERE messages.id = message)
    WHERE content = 'status' AND stanza_id <> (SELECT status_stanza_id FROM messages WHERE messages.id = message);
-- When the next of those that wait for their time goes.
CREATE INDEX replies_due ON replies (due) WHERE sent IS NULL AND due IS NOT NULL;

-- The first of several lines that one sender wrote within seconds: its status is that of all of them.
ALTER TABLE messages ADD COLUMN first_line INTEGER;
CREATE INDEX messages_of_first_line ON messages (first_line) WHERE first_line IS NOT NULL;
