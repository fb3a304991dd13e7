-- Following up what a provider should have told: orders are asked about, and webhooks that nobody handled are sent on again.

ALTER TABLE orders
    ADD COLUMN asked_at     TIMESTAMPTZ,                       -- when the provider was last asked without a webhook
    ADD COLUMN asked_enough BOOLEAN NOT NULL DEFAULT FALSE;    -- the provider has said that no money will come any more
CREATE INDEX orders_unheard ON orders (created_at)
    WHERE captured_amount = 0 AND total_amount > 0 AND NOT asked_enough;

ALTER TABLE webhook_events ADD COLUMN sent_again_at TIMESTAMPTZ;
