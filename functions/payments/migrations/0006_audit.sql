-- What an auditor asks for: orders that changed lately; the table is written in the order of time.
CREATE INDEX order_events_by_time ON order_events USING brin (created_at);
