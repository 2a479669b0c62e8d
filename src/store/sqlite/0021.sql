-- Who is spoken to slowly: as the operator has it, and as the person has set it.
ALTER TABLE subscribers ADD COLUMN slow INTEGER NOT NULL DEFAULT 0 CHECK (slow IN (0, 1));
ALTER TABLE subscribers ADD COLUMN own_slow INTEGER CHECK (own_slow IN (0, 1));
