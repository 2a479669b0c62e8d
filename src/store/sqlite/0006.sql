-- 1: the person called us; what is counted and throttled are our own calls.
ALTER TABLE attempts ADD COLUMN incoming INTEGER NOT NULL DEFAULT 0 CHECK (incoming IN (0, 1));
-- How often the digits were not his PIN.
ALTER TABLE attempts ADD COLUMN wrong_pins INTEGER NOT NULL DEFAULT 0;
