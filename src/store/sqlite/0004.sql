-- How good the line was, in words; NULL if nobody talked.
ALTER TABLE attempts ADD COLUMN line TEXT;
