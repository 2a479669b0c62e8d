-- What the next start needs to end a call that a kill leaves behind: the INVITE, or the dialog once it is answered, and
-- the trunk. NULL once the call is settled.
ALTER TABLE attempts ADD COLUMN dialog TEXT;
ALTER TABLE attempts ADD COLUMN dialog_trunk TEXT;
CREATE INDEX attempts_of_dialogs ON attempts (id) WHERE dialog IS NOT NULL;
ALTER TABLE verifications ADD COLUMN dialog TEXT;
ALTER TABLE verifications ADD COLUMN dialog_trunk TEXT;
CREATE INDEX verifications_of_dialogs ON verifications (id) WHERE dialog IS NOT NULL;

-- The messages and keys of a call, a line each, without what names somebody.
ALTER TABLE attempts ADD COLUMN ladder TEXT;
