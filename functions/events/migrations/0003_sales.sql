-- Sales figures: what tickets and payments said, as it came, and the tables that are its fold.

-- The log. Rows are only added: ids, amounts and states, nobody's name.
CREATE TABLE sales_messages (
    id          BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    message_id  UUID NOT NULL UNIQUE,
    event_id    UUID NOT NULL,
    type        TEXT NOT NULL,
    subject     UUID NOT NULL,                   -- the order, the ticket, or the event
    version     INTEGER NOT NULL,                -- the subject's
    occurred_at TIMESTAMPTZ NOT NULL,
    data        JSONB NOT NULL
);
CREATE INDEX sales_messages_of_event ON sales_messages (event_id, type, id);

-- A row per event with messages. Whoever folds holds its lock.
CREATE TABLE sales_events (
    event_id      UUID PRIMARY KEY,
    told_at       TIMESTAMPTZ,                   -- of the newest message
    stock_version INTEGER,                       -- of the newest message about stock
    stock_told_at TIMESTAMPTZ
);

-- From stock_changed: each type as it was last told of.
CREATE TABLE sales_types (
    ticket_type_id UUID PRIMARY KEY,
    event_id       UUID NOT NULL,
    version        INTEGER NOT NULL,             -- the stock message's; a type that the newest leaves out is deleted
    position       INTEGER NOT NULL,
    name           VARCHAR(255) NOT NULL,
    price          DECIMAL(10,2) NOT NULL,
    currency       VARCHAR(3) NOT NULL,
    capacity       INTEGER NOT NULL,
    sold           INTEGER NOT NULL,             -- when it was told: with held, of one moment
    held           INTEGER NOT NULL
);
CREATE INDEX sales_types_of_event ON sales_types (event_id);

-- From order_changed: the newest version of each order.
CREATE TABLE sales_orders (
    order_id  UUID PRIMARY KEY,
    event_id  UUID NOT NULL,
    version   INTEGER NOT NULL,
    placed_at TIMESTAMPTZ NOT NULL,
    currency  VARCHAR(3) NOT NULL,
    captured  DECIMAL(10,2) NOT NULL,
    refunded  DECIMAL(10,2) NOT NULL,
    items     JSONB NOT NULL,                    -- as the message has them
    refunds   JSONB NOT NULL
);
CREATE INDEX sales_orders_of_event ON sales_orders (event_id);

-- From order_issued, tickets_voided and ticket_checked_in, whichever comes first.
CREATE TABLE sales_tickets (
    ticket_id      UUID PRIMARY KEY,
    event_id       UUID NOT NULL,
    order_id       UUID NOT NULL,
    ticket_type_id UUID,                         -- NULL until it is known to be issued, as the next two
    issued_version INTEGER,                      -- the order's, in tickets
    issued_at      TIMESTAMPTZ,
    is_void        BOOLEAN NOT NULL DEFAULT FALSE,
    used_at        TIMESTAMPTZ
);
CREATE INDEX sales_tickets_of_event ON sales_tickets (event_id);

-- From order_released: the tickets of an order that were issued before are void.
CREATE TABLE sales_releases (
    order_id UUID PRIMARY KEY,
    event_id UUID NOT NULL,
    version  INTEGER NOT NULL
);
CREATE INDEX sales_releases_of_event ON sales_releases (event_id);
