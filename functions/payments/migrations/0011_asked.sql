-- How often a provider may have been asked for an attempt: counted before each call, and taken back when its circuit let
-- none through. Where it is 0 the provider knows nothing of the attempt, and there is nothing to cancel there. Of attempts
-- recorded without a word of it nobody knows.
ALTER TABLE payment_transactions ADD COLUMN asks INTEGER NOT NULL DEFAULT 1 CHECK (asks >= 0);
