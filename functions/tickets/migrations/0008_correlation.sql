-- The request that began the purchase. It is part of its execution's input, which must be the same however often the
-- execution is started.
ALTER TABLE purchases ADD COLUMN correlation_id TEXT;
