-- Money that a provider took for an order that is paid already, by another payment: it goes back, whatever became of the
-- order. The order's own amounts never count it.

CREATE TABLE second_payments (
    provider    VARCHAR(20)   NOT NULL,
    intent_id   VARCHAR(255)  NOT NULL,
    order_id    UUID          NOT NULL REFERENCES orders (id),
    refund_key  UUID          NOT NULL UNIQUE,            -- our name for the refund at the provider
    amount      DECIMAL(10,2) NOT NULL CHECK (amount > 0),
    status      VARCHAR(20)   NOT NULL CHECK (status IN ('REQUESTED', 'SUCCEEDED', 'FAILED')),
    created_at  TIMESTAMPTZ   NOT NULL,
    updated_at  TIMESTAMPTZ   NOT NULL,
    PRIMARY KEY (provider, intent_id)
);
CREATE INDEX second_payments_by_order ON second_payments (order_id);
CREATE INDEX second_payments_unfinished ON second_payments (updated_at) WHERE status = 'REQUESTED';
