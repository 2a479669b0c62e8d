-- What senders word anew or take back, and what they did not write themselves.

-- The `id` by which the sender's client knows a message that was corrected; NULL: by that of the first stanza.
ALTER TABLE messages ADD COLUMN last_id TEXT;
-- The `id` under which the recipient has an earlier wording, which this one corrects or takes back.
ALTER TABLE messages ADD COLUMN replaces TEXT;
-- How its sender has set it aside; it has ended then, as 'set_aside'.
ALTER TABLE messages ADD COLUMN withdrawn TEXT CHECK (withdrawn IN ('corrected', 'retracted'));
-- 1: it is delivered, but makes no call and its sender reads nothing of it.
ALTER TABLE messages ADD COLUMN silent INTEGER NOT NULL DEFAULT 0 CHECK (silent IN (0, 1));

-- Further `id`s by which a message is corrected or taken back: of its corrections, and of what it corrects.
CREATE TABLE message_ids (
    id        INTEGER PRIMARY KEY,
    message   INTEGER NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
    stanza_id TEXT NOT NULL,
    UNIQUE (message, stanza_id)
) STRICT;
CREATE INDEX message_ids_of_stanza ON message_ids (stanza_id);
