-- What an auditor asks for: purchases that changed lately (the table is written in the order of time), and bound seats.
CREATE INDEX purchase_events_by_time ON purchase_events USING brin (created_at);
CREATE INDEX ticket_reservations_bound ON ticket_reservations (ticket_type_id) WHERE status = 'BOUND';
