-- Orders and their payments. The rules that protect money are constraints here, not hopes in the code.

CREATE TABLE orders (
    id                             UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id                        UUID NOT NULL,
    event_id                       UUID NOT NULL,
    organizer_id                   UUID NOT NULL,
    order_number                   VARCHAR(50) UNIQUE NOT NULL,
    total_amount                   DECIMAL(10,2) NOT NULL CHECK (total_amount >= 0),
    currency                       VARCHAR(3) NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    payment_status                 VARCHAR(50) NOT NULL DEFAULT 'PENDING' CHECK (payment_status IN (
                                       'PENDING', 'REQUIRES_ACTION', 'PAYMENT_FAILED', 'PAID', 'CANCELLED',
                                       'PARTIALLY_REFUNDED', 'REFUNDED', 'DISPUTED')),
    payment_method                 VARCHAR(50) NOT NULL,
    payment_gateway_transaction_id VARCHAR(255) UNIQUE,        -- the provider's one payment for this order
    client_secret                  VARCHAR(500),               -- only while an action of the buyer's is due
    failure_code                   VARCHAR(100),
    failure_message                TEXT,
    pay_by                         TIMESTAMPTZ NOT NULL,
    captured_amount                DECIMAL(10,2) NOT NULL DEFAULT 0,
    refunding_amount               DECIMAL(10,2) NOT NULL DEFAULT 0,  -- asked for, not given back yet
    refunded_amount                DECIMAL(10,2) NOT NULL DEFAULT 0,
    cancel_requested_at            TIMESTAMPTZ,
    tickets                        JSONB,                      -- NULL until they are known to be issued
    released_at                    TIMESTAMPTZ,                -- the seats went back on sale
    mail_status                    VARCHAR(50) NOT NULL DEFAULT 'PENDING',
    version                        INTEGER NOT NULL DEFAULT 1,
    created_at                     TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at                     TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT orders_captured_at_most_once CHECK (captured_amount IN (0, total_amount)),
    CONSTRAINT orders_refunds_within_payment CHECK (
        refunded_amount >= 0 AND refunding_amount >= 0 AND refunded_amount + refunding_amount <= captured_amount),
    CONSTRAINT orders_secret_only_for_action CHECK (client_secret IS NULL OR payment_status = 'REQUIRES_ACTION'),
    CONSTRAINT orders_paid_is_captured CHECK (
        payment_status NOT IN ('PAID', 'PARTIALLY_REFUNDED', 'REFUNDED', 'DISPUTED') OR captured_amount = total_amount),
    CONSTRAINT orders_undecided_is_not_captured CHECK (
        payment_status NOT IN ('PENDING', 'REQUIRES_ACTION', 'PAYMENT_FAILED') OR captured_amount = 0)
);
CREATE INDEX orders_of_event ON orders (event_id, created_at DESC, id DESC);
CREATE INDEX orders_of_user ON orders (user_id, created_at DESC);

-- Which orders have been begun, or must not be: CancelPayment takes the row of an order that Charge never recorded, so
-- that a Charge still on its way finds it taken.
CREATE TABLE order_starts (
    order_id   UUID PRIMARY KEY,
    cancelled  BOOLEAN NOT NULL,
    created_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE order_items (
    id             UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    order_id       UUID NOT NULL REFERENCES orders(id),
    ticket_type_id UUID NOT NULL,
    name           VARCHAR(255) NOT NULL,
    quantity       INTEGER NOT NULL CHECK (quantity > 0),
    unit_price     DECIMAL(10,2) NOT NULL CHECK (unit_price >= 0),
    total_price    DECIMAL(10,2) NOT NULL,
    CONSTRAINT order_items_add_up CHECK (total_price = unit_price * quantity)
);
CREATE INDEX order_items_of_order ON order_items (order_id);

-- The audit trail: one row per attempt to take money and per refund.
CREATE TABLE payment_transactions (
    id                     UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    order_id               UUID NOT NULL REFERENCES orders(id),
    kind                   VARCHAR(20) NOT NULL CHECK (kind IN ('ATTEMPT', 'REFUND')),
    payment_method         VARCHAR(50) NOT NULL,
    payment_token          VARCHAR(255),                       -- the provider's name for a card; never a card's number
    gateway_transaction_id VARCHAR(255),
    amount                 DECIMAL(10,2) NOT NULL CHECK (amount >= 0),
    currency               VARCHAR(3) NOT NULL,
    status                 VARCHAR(50) NOT NULL CHECK (status IN (
                               'OPEN', 'ACTION_REQUIRED', 'PROCESSING', 'SUCCEEDED', 'DECLINED', 'FAILED', 'SUPERSEDED',
                               'CANCELLED')),
    gateway_response       TEXT,
    created_at             TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at             TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE INDEX payment_transactions_of_order ON payment_transactions (order_id, created_at);
CREATE UNIQUE INDEX payment_transactions_one_open_attempt ON payment_transactions (order_id)
    WHERE kind = 'ATTEMPT' AND status = 'OPEN';

CREATE TABLE order_events (
    id         BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    order_id   UUID NOT NULL REFERENCES orders(id),
    version    INTEGER NOT NULL,
    type       VARCHAR(50) NOT NULL,
    data       JSONB NOT NULL,                                 -- ids, amounts and states; the state after the event
    created_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT order_events_one_per_version UNIQUE (order_id, version)
);

CREATE TABLE refunds (
    id                UUID PRIMARY KEY,                        -- also the key under which the provider knows it
    order_id          UUID NOT NULL REFERENCES orders(id),
    cause             VARCHAR(20) NOT NULL CHECK (cause IN ('REQUESTED', 'COMPENSATION', 'LATE_PAYMENT', 'PROVIDER')),
    requested_by      UUID,
    amount            DECIMAL(10,2) NOT NULL CHECK (amount > 0),
    reason            VARCHAR(500) NOT NULL,
    ticket_ids        UUID[] NOT NULL,
    status            VARCHAR(20) NOT NULL CHECK (status IN ('REQUESTED', 'SUCCEEDED', 'FAILED')),
    gateway_refund_id VARCHAR(255) UNIQUE,
    failure           VARCHAR(255),
    created_at        TIMESTAMPTZ NOT NULL,
    updated_at        TIMESTAMPTZ NOT NULL
);
CREATE INDEX refunds_of_order ON refunds (order_id, created_at);

-- Step Functions' tokens of purchases that wait for their payment.
CREATE TABLE task_tokens (
    order_id   UUID PRIMARY KEY,
    token      TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL
);

-- Webhooks as they came: stored first, handled after.
CREATE TABLE webhook_events (
    provider    VARCHAR(20) NOT NULL,
    event_id    VARCHAR(255) NOT NULL,
    type        VARCHAR(100) NOT NULL,
    object_id   VARCHAR(255) NOT NULL,
    intent_id   VARCHAR(255),
    received_at TIMESTAMPTZ NOT NULL,
    handled_at  TIMESTAMPTZ,
    PRIMARY KEY (provider, event_id)
);
CREATE INDEX webhook_events_unhandled ON webhook_events (received_at) WHERE handled_at IS NULL;
