-- What others keep of our stock, and what we keep of payments' orders.

-- How an event's stock was last told of; the version counts the messages, and its lock puts them into their order.
CREATE TABLE stock_told (
    event_id UUID PRIMARY KEY,
    version  INTEGER NOT NULL,
    types    JSONB NOT NULL,                            -- as the message has them
    told_at  TIMESTAMPTZ NOT NULL
);

-- What payments said of orders, as it came: ids, amounts and states; rows are only added.
CREATE TABLE order_payment_messages (
    message_id      UUID PRIMARY KEY,
    order_id        UUID NOT NULL,
    version         INTEGER NOT NULL,                   -- the order's, in payments
    payment_status  VARCHAR(50) NOT NULL,
    refunded_amount DECIMAL(10,2) NOT NULL,
    occurred_at     TIMESTAMPTZ NOT NULL
);
CREATE INDEX order_payment_messages_of_order ON order_payment_messages (order_id, version DESC);

-- Its fold: the newest of each order, for the list of a buyer's orders.
CREATE TABLE order_payments (
    order_id        UUID PRIMARY KEY,
    version         INTEGER NOT NULL,
    payment_status  VARCHAR(50) NOT NULL,
    refunded_amount DECIMAL(10,2) NOT NULL,
    occurred_at     TIMESTAMPTZ NOT NULL
);
