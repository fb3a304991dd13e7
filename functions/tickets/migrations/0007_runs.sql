-- An execution that failed for good keeps its name for 90 days: the purchase is run again under another one.
ALTER TABLE purchases ADD COLUMN saga_runs integer NOT NULL DEFAULT 1 CHECK (saga_runs >= 1);
