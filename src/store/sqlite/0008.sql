-- What the telephone network said of the end, as a cause of Q.850.
ALTER TABLE attempts ADD COLUMN cause INTEGER;
