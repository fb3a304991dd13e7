-- What the list of an event's orders needs of others: who the buyers are, and whose the event is.

CREATE EXTENSION IF NOT EXISTS pg_trgm;

CREATE TABLE buyers (
    user_id     UUID PRIMARY KEY,
    version     INTEGER NOT NULL,                 -- auth's
    email       VARCHAR(255),                     -- this and the names: NULL once the person is erased
    first_name  VARCHAR(100),
    last_name   VARCHAR(100),
    erased_at   TIMESTAMPTZ,                      -- for good: older news of the person may still come
    search_text TEXT GENERATED ALWAYS AS (lower(first_name || ' ' || last_name || ' ' || email)) STORED,
    CONSTRAINT buyers_erased CHECK (
        CASE WHEN erased_at IS NULL THEN num_nulls(email, first_name, last_name) = 0
             ELSE num_nonnulls(email, first_name, last_name) = 0 END)
);
CREATE INDEX buyers_search_text ON buyers USING gin (search_text gin_trgm_ops);

CREATE TABLE event_owners (
    event_id     UUID PRIMARY KEY,
    organizer_id UUID NOT NULL,
    version      INTEGER NOT NULL                 -- the event's
);
