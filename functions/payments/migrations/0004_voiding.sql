-- A cancelled event, disputed payments, and money that buys its seats again.

ALTER TABLE refunds
    DROP CONSTRAINT refunds_cause_check,
    ADD CONSTRAINT refunds_cause_check CHECK (cause IN (
        'REQUESTED', 'COMPENSATION', 'LATE_PAYMENT', 'PROVIDER', 'EVENT_CANCELLED', 'DISPUTE_LOST'));
CREATE INDEX refunds_unfinished ON refunds (updated_at) WHERE status = 'REQUESTED';
CREATE INDEX payment_transactions_open ON payment_transactions (updated_at)
    WHERE kind = 'ATTEMPT' AND status = 'OPEN';

ALTER TABLE orders
    -- The version of the tickets service's purchase when it last issued or released: older news changes nothing.
    ADD COLUMN tickets_version INTEGER NOT NULL DEFAULT 0,
    ADD COLUMN dispute         VARCHAR(10) CHECK (dispute IN ('OPEN', 'WON', 'LOST'));
-- Orders whose money is here and has no tickets: the tickets service is being asked for seats.
CREATE INDEX orders_wanting_seats ON orders (updated_at)
    WHERE captured_amount > 0 AND (payment_status = 'CANCELLED' OR (payment_status = 'DISPUTED' AND dispute = 'WON'));
