-- Stock, holds, purchases and tickets. Every rule about stock stands here as a constraint; the code is only the first
-- to ask. Counters are moved by the functions of 0002_stock.sql and by nothing else.

-- What tickets keeps of an event (events' own data; ours is only the currency, which its first ticket type sets).
CREATE TABLE event_copies (
    event_id      UUID PRIMARY KEY,
    organizer_id  UUID NOT NULL,
    name          VARCHAR(255) NOT NULL,
    event_date    TIMESTAMPTZ NOT NULL,
    time_zone     TEXT NOT NULL,
    venue_name    VARCHAR(255) NOT NULL,
    venue_address TEXT NOT NULL,
    status        VARCHAR(50) NOT NULL CHECK (status IN ('DRAFT', 'PUBLISHED', 'CANCELLED', 'COMPLETED')),
    version       INTEGER NOT NULL,
    currency      VARCHAR(3) CHECK (currency ~ '^[A-Z]{3}$'),
    refreshed_at  TIMESTAMPTZ NOT NULL,
    CONSTRAINT event_copies_one_currency UNIQUE (event_id, currency)
);

CREATE TABLE ticket_types (
    id                 UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    event_id           UUID NOT NULL,
    name               VARCHAR(255) NOT NULL,
    description        TEXT,
    price              DECIMAL(10,2) NOT NULL CHECK (price >= 0),
    currency           VARCHAR(3) NOT NULL,
    quantity_available INTEGER NOT NULL,                -- the capacity
    quantity_sold      INTEGER NOT NULL DEFAULT 0,
    quantity_held      INTEGER NOT NULL DEFAULT 0,
    sale_start_date    TIMESTAMPTZ,
    sale_end_date      TIMESTAMPTZ,
    per_person_limit   INTEGER NOT NULL DEFAULT 10 CHECK (per_person_limit >= 1),
    venue_zone         VARCHAR(100),
    created_at         TIMESTAMPTZ NOT NULL,
    updated_at         TIMESTAMPTZ NOT NULL,
    deleted_at         TIMESTAMPTZ,                     -- off sale for good; kept for the tickets it once had
    CONSTRAINT ticket_types_stock CHECK (
        quantity_sold >= 0 AND quantity_held >= 0 AND quantity_sold + quantity_held <= quantity_available),
    CONSTRAINT ticket_types_sale_dates CHECK (sale_start_date < sale_end_date),
    CONSTRAINT ticket_types_deleted CHECK (deleted_at IS NULL OR quantity_sold + quantity_held = 0),
    -- One currency per event.
    CONSTRAINT ticket_types_currency FOREIGN KEY (event_id, currency) REFERENCES event_copies (event_id, currency)
) WITH (fillfactor = 50);                               -- room for hot counters to be updated in place
CREATE INDEX ticket_types_of_event ON ticket_types (event_id, created_at, id);

-- How many tickets of a type a person has taken (held or bought), and how many they may.
CREATE TABLE ticket_type_buyers (
    ticket_type_id UUID NOT NULL REFERENCES ticket_types (id) ON DELETE CASCADE,
    user_id        UUID NOT NULL,
    taken          INTEGER NOT NULL,
    allowed        INTEGER NOT NULL,
    PRIMARY KEY (ticket_type_id, user_id),
    CONSTRAINT ticket_type_buyers_limit CHECK (taken >= 0 AND taken <= allowed)
);

-- Held seats: a row per type, those of one reservation under one reservation_id.
CREATE TABLE ticket_reservations (
    id             UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    reservation_id UUID NOT NULL,
    position       SMALLINT NOT NULL,                   -- among the items, as the buyer named them
    user_id        UUID NOT NULL,
    event_id       UUID NOT NULL,
    ticket_type_id UUID NOT NULL REFERENCES ticket_types (id),
    quantity       INTEGER NOT NULL CHECK (quantity > 0),
    unit_price     DECIMAL(10,2) NOT NULL CHECK (unit_price >= 0),
    currency       VARCHAR(3) NOT NULL,
    reserved_until TIMESTAMPTZ NOT NULL,                -- HELD: end of the hold; BOUND: pay-by
    status         VARCHAR(50) NOT NULL DEFAULT 'HELD'
                   CHECK (status IN ('HELD', 'BOUND', 'ISSUED', 'RELEASED', 'EXPIRED')),
    order_id       UUID,
    created_at     TIMESTAMPTZ NOT NULL,
    CONSTRAINT ticket_reservations_once UNIQUE (reservation_id, ticket_type_id),
    CONSTRAINT ticket_reservations_bound CHECK (status NOT IN ('BOUND', 'ISSUED') OR order_id IS NOT NULL)
);
-- Only what may expire is in these: they stay small however much is sold.
CREATE INDEX ticket_reservations_of_type ON ticket_reservations (ticket_type_id, reserved_until)
    WHERE status = 'HELD';
CREATE INDEX ticket_reservations_expiring ON ticket_reservations (reserved_until) WHERE status = 'HELD';

-- An order as tickets knows it: the record from which its saga is started, and started again.
CREATE TABLE purchases (
    order_id         UUID PRIMARY KEY,
    reservation_id   UUID NOT NULL UNIQUE,
    order_number     VARCHAR(50) NOT NULL UNIQUE,
    user_id          UUID NOT NULL,
    event_id         UUID NOT NULL,
    total_amount     DECIMAL(10,2) NOT NULL CHECK (total_amount >= 0),
    currency         VARCHAR(3) NOT NULL,
    payment_type     VARCHAR(50) NOT NULL,
    payment_token    VARCHAR(255),                      -- the gateway's name of a card
    holder_names     JSONB NOT NULL,
    pay_by           TIMESTAMPTZ NOT NULL,
    status           VARCHAR(50) NOT NULL DEFAULT 'BOUND' CHECK (status IN ('BOUND', 'ISSUED', 'RELEASED')),
    version          INTEGER NOT NULL DEFAULT 0,        -- the number of its events
    saga_checked_at  TIMESTAMPTZ NOT NULL,
    notified_outcome VARCHAR(50),                       -- what the buyer was last told
    created_at       TIMESTAMPTZ NOT NULL
);
CREATE INDEX purchases_of_user ON purchases (user_id, created_at DESC, order_id DESC);
CREATE INDEX purchases_unfinished ON purchases (saga_checked_at) WHERE notified_outcome IS NULL;

CREATE TABLE purchase_events (
    id         BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    order_id   UUID NOT NULL REFERENCES purchases (order_id),
    version    INTEGER NOT NULL,
    type       TEXT NOT NULL,                           -- bound, issued, tickets_voided, released
    data       JSONB NOT NULL,                          -- ids, amounts and states
    created_at TIMESTAMPTZ NOT NULL,
    UNIQUE (order_id, version)
);

CREATE TABLE tickets (
    id             UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    ticket_type_id UUID NOT NULL REFERENCES ticket_types (id),
    order_id       UUID NOT NULL REFERENCES purchases (order_id),
    user_id        UUID NOT NULL,
    event_id       UUID NOT NULL,
    ticket_number  VARCHAR(50) UNIQUE NOT NULL,
    qr_code        VARCHAR(255) UNIQUE NOT NULL,
    holder_name    VARCHAR(255),
    status         VARCHAR(50) NOT NULL DEFAULT 'ACTIVE' CHECK (status IN ('ACTIVE', 'USED', 'VOID')),
    version        INTEGER NOT NULL DEFAULT 1,
    checked_in_at  TIMESTAMPTZ,
    mailed_again   TIMESTAMPTZ[] NOT NULL DEFAULT '{}', -- the times of the last hour's resends
    created_at     TIMESTAMPTZ NOT NULL,
    CONSTRAINT tickets_used CHECK (status <> 'USED' OR checked_in_at IS NOT NULL)
);
CREATE INDEX tickets_of_order ON tickets (order_id);

CREATE TABLE ticket_events (
    id         BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    ticket_id  UUID NOT NULL REFERENCES tickets (id),
    version    INTEGER NOT NULL,
    type       TEXT NOT NULL,                           -- issued, checked_in, voided
    data       JSONB NOT NULL,                          -- ids, amounts and states
    created_at TIMESTAMPTZ NOT NULL,
    UNIQUE (ticket_id, version)
);
