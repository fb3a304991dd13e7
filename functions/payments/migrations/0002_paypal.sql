-- Payments that a buyer approves at the provider, and orders whose buyer changed providers.

ALTER TABLE orders
    ADD COLUMN approval_url   VARCHAR(2000),                   -- only while the buyer's approval is due
    ADD COLUMN payment_number INTEGER NOT NULL DEFAULT 1 CHECK (payment_number > 0),  -- of the payment that stands now
    ADD CONSTRAINT orders_approval_only_for_action CHECK (approval_url IS NULL OR payment_status = 'REQUIRES_ACTION');

ALTER TABLE webhook_events ADD COLUMN charge_id VARCHAR(255);  -- where the provider names no payment
