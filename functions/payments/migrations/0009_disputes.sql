-- Each dispute of a payment by itself: a buyer's bank may take up a payment again after it has decided once.

CREATE TABLE disputes (
    order_id   UUID         NOT NULL REFERENCES orders (id),
    dispute_id VARCHAR(255) NOT NULL,                     -- as the provider calls it
    status     VARCHAR(10)  NOT NULL CHECK (status IN ('OPEN', 'WON', 'LOST')),
    updated_at TIMESTAMPTZ  NOT NULL,
    PRIMARY KEY (order_id, dispute_id)
);
-- Those of before: old news of them must not be taken for another dispute.
INSERT INTO disputes (order_id, dispute_id, status, updated_at)
SELECT o.id, w.object_id, o.dispute, max(w.received_at)
  FROM orders o
  JOIN webhook_events w ON w.intent_id = o.payment_gateway_transaction_id
    OR w.charge_id IN (SELECT t.gateway_response::jsonb ->> 'charge' FROM payment_transactions t WHERE t.order_id = o.id)
 WHERE o.dispute IS NOT NULL AND w.type LIKE ANY (ARRAY['charge.dispute.%', 'CUSTOMER.DISPUTE.%']) AND w.object_id <> ''
 GROUP BY o.id, w.object_id, o.dispute;
