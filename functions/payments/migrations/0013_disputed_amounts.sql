-- How much a dispute is about: its bank takes all of that, also what our books had set aside for a refund of then.
ALTER TABLE disputes ADD COLUMN amount DECIMAL(12, 2) NOT NULL DEFAULT 0 CHECK (amount >= 0);
-- Those that were lost before: what they have taken, by whichever of them.
UPDATE disputes d SET amount = taken.amount
  FROM (SELECT order_id, sum(amount) AS amount FROM refunds
         WHERE cause = 'DISPUTE_LOST' AND status = 'SUCCEEDED' GROUP BY order_id) taken
 WHERE d.order_id = taken.order_id
   AND d.dispute_id = (SELECT min(dispute_id) FROM disputes WHERE order_id = d.order_id AND status = 'LOST');
-- Which mail an order's mail status is of, and when that mail was asked for: of two mails the newer one counts.
ALTER TABLE orders ADD COLUMN mail_id UUID, ADD COLUMN mail_asked_at TIMESTAMPTZ;
