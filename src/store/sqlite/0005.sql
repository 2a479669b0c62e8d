-- Who picked up: human, machine or unknown; NULL if nobody did.
ALTER TABLE attempts ADD COLUMN picked_up TEXT;
