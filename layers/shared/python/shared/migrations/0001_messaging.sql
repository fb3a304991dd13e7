-- What every service's database needs to speak to the others: outbox, inbox, idempotency keys.

CREATE TABLE outbox (
    id            BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    message_id    UUID NOT NULL UNIQUE,
    destination   TEXT NOT NULL,                 -- 'topic', 'queue:<name>' or 'task'
    type          TEXT NOT NULL,
    subject       UUID NOT NULL,                 -- the aggregate's id
    version       INTEGER NOT NULL,              -- the aggregate's version
    payload       JSONB,                         -- NULL once published, if it was sensitive
    sensitive     BOOLEAN NOT NULL,
    created_at    TIMESTAMPTZ NOT NULL,
    claimed_until TIMESTAMPTZ NOT NULL,          -- its publisher's lease; the sweep takes it after that
    attempts      INTEGER NOT NULL DEFAULT 1,
    published_at  TIMESTAMPTZ
);
CREATE INDEX outbox_unpublished ON outbox (id) WHERE published_at IS NULL;
CREATE INDEX outbox_recent ON outbox (created_at);

CREATE TABLE inbox (
    consumer    TEXT NOT NULL,
    message_id  UUID NOT NULL,
    received_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (consumer, message_id)
);
CREATE INDEX inbox_received ON inbox (received_at);

CREATE TABLE idempotency_keys (
    scope        TEXT NOT NULL,                  -- user, method and path
    key          TEXT NOT NULL,
    request_hash TEXT NOT NULL,
    answer       JSONB,                          -- {"status": 201, "body": …}, written in the business transaction
    created_at   TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (scope, key)
);
CREATE INDEX idempotency_keys_created ON idempotency_keys (created_at);
