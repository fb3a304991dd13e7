-- What a message belongs to: the id that all log lines of one purchase share, and X-Ray's header of whoever wrote it,
-- which the sweep that publishes it later does not have.
ALTER TABLE outbox ADD COLUMN correlation_id TEXT, ADD COLUMN trace_header TEXT;
