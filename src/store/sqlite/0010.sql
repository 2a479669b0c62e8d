-- 1: the person has turned down the request to see their presence, and is not asked again.
ALTER TABLE subscribers ADD COLUMN refuses_presence INTEGER NOT NULL DEFAULT 0 CHECK (refuses_presence IN (0, 1));
