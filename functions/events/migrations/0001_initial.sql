-- Events and the categories they are found under.

CREATE EXTENSION IF NOT EXISTS pg_trgm;

CREATE TABLE event_categories (
    id          UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    name        VARCHAR(100) NOT NULL UNIQUE CHECK (name <> ''),
    description TEXT
);
CREATE UNIQUE INDEX event_categories_name_in_any_case ON event_categories (lower(name));

CREATE TABLE events (
    id            UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    organizer_id  UUID NOT NULL,                  -- a user of the auth service
    name          VARCHAR(255) NOT NULL CHECK (name <> ''),
    description   TEXT,
    event_date    TIMESTAMPTZ NOT NULL,
    time_zone     VARCHAR(64) NOT NULL,           -- IANA: where the event's own clock hangs
    venue_name    VARCHAR(255) NOT NULL CHECK (venue_name <> ''),
    venue_address TEXT NOT NULL CHECK (venue_address <> ''),
    category      VARCHAR(100) REFERENCES event_categories (name),
    image_url     VARCHAR(500),
    status        VARCHAR(50) NOT NULL DEFAULT 'DRAFT'
                  CHECK (status IN ('DRAFT', 'PUBLISHED', 'CANCELLED', 'COMPLETED')),
    cancel_reason TEXT,
    version       INTEGER NOT NULL DEFAULT 1,
    created_at    TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at    TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CHECK ((status = 'CANCELLED') = (cancel_reason IS NOT NULL)),

    -- What a search reads. 'simple' beside 'english', so that a band called The Who can be found.
    search_vector TSVECTOR GENERATED ALWAYS AS (
        setweight(to_tsvector('english', name), 'A') || setweight(to_tsvector('simple', name), 'A')
        || setweight(to_tsvector('english', venue_name || ' ' || coalesce(category, '')), 'B')
        || setweight(to_tsvector('simple', venue_name || ' ' || coalesce(category, '')), 'B')
        || setweight(to_tsvector('english', coalesce(description, '')), 'C')) STORED,
    search_text   TEXT GENERATED ALWAYS AS (name || ' ' || venue_name || ' ' || coalesce(category, '')) STORED
);
CREATE INDEX events_upcoming ON events (event_date, id) WHERE status = 'PUBLISHED';
CREATE INDEX events_of_organizer ON events (organizer_id, created_at DESC, id DESC);
CREATE INDEX events_search_vector ON events USING gin (search_vector) WHERE status = 'PUBLISHED';
CREATE INDEX events_search_text ON events USING gin (search_text gin_trgm_ops) WHERE status = 'PUBLISHED';

-- One row, counting every change of what the public sees: a page of search results is kept under the count it was
-- read at, so a publication shows in the very next search.
CREATE TABLE catalogue (
    only_row BOOLEAN PRIMARY KEY DEFAULT TRUE CHECK (only_row),
    version  BIGINT NOT NULL
);
INSERT INTO catalogue (version) VALUES (1);

-- Published events that match by words, or nearly (typing errors), and how well. The threshold is set on the function,
-- for a session behind RDS Proxy must not SET anything.
CREATE FUNCTION matching_events(query TEXT) RETURNS TABLE (id UUID, rank NUMERIC)
LANGUAGE sql STABLE
SET pg_trgm.word_similarity_threshold = 0.4
AS $$
    SELECT e.id, round((ts_rank(e.search_vector, words.query) + word_similarity($1, e.search_text))::numeric, 6)
      FROM events e, (SELECT websearch_to_tsquery('english', $1) || websearch_to_tsquery('simple', $1)) words (query)
     WHERE e.status = 'PUBLISHED' AND (e.search_vector @@ words.query OR $1 <% e.search_text)
$$;

INSERT INTO event_categories (name, description) VALUES
    ('Music', 'Concerts and club nights'),
    ('Theatre', 'Plays, musicals, opera and dance'),
    ('Sport', 'Matches, races and tournaments'),
    ('Comedy', 'Stand-up and improvisation'),
    ('Conference', 'Talks, congresses and trade fairs'),
    ('Workshop', 'Courses and things to learn by doing'),
    ('Festival', 'Several days, several stages'),
    ('Film', 'Screenings and premieres'),
    ('Exhibition', 'Museums, galleries and shows'),
    ('Family', 'For children and those who come with them'),
    ('Food', 'Tastings, markets and dinners'),
    ('Other', 'Whatever fits nowhere else');
