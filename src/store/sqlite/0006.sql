-- What each call and each end of a message look for is found without looking through the table.

CREATE INDEX attempts_live_of ON attempts (recipient) WHERE ended IS NULL;

DROP TRIGGER messages_discounted;
CREATE TRIGGER messages_discounted AFTER UPDATE OF ended ON messages
    WHEN old.ended IS NULL AND new.ended IS NOT NULL
BEGIN
    UPDATE tallies SET held = held - 1, bytes = bytes - octet_length(old.body) - octet_length(old.stanza)
        WHERE (kind = 'all' AND jid = '') OR (kind = 'recipient' AND jid = old.recipient)
            OR (kind = 'sender' AND jid = old.sender_bare);
    DELETE FROM tallies WHERE held = 0
        AND ((kind = 'recipient' AND jid = old.recipient) OR (kind = 'sender' AND jid = old.sender_bare));
END;
