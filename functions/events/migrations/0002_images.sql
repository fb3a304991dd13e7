-- Pictures: every form that an organizer asked for to upload one, and what became of it. events.image_url is where the
-- picture lies below the address of all pictures.

CREATE TABLE image_uploads (
    id           UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    event_id     UUID REFERENCES events (id) ON DELETE SET NULL,  -- null: the event is gone, its pictures are yet to go
    sequence     BIGINT NOT NULL GENERATED ALWAYS AS IDENTITY,    -- of two uploads of an event, the one asked for later
    content_type VARCHAR(50) NOT NULL,
    size         INTEGER NOT NULL CHECK (size > 0),
    etag         VARCHAR(100),                                    -- of the file that is being looked at
    status       VARCHAR(20) NOT NULL DEFAULT 'AWAITED'
                 CHECK (status IN ('AWAITED', 'SHOWN', 'REFUSED', 'SUPERSEDED', 'REPLACED', 'EXPIRED')),
    error        VARCHAR(500),
    created_at   TIMESTAMPTZ NOT NULL,
    finished_at  TIMESTAMPTZ,
    removed_at   TIMESTAMPTZ,                                     -- since when its files are gone
    CHECK ((status = 'REFUSED') = (error IS NOT NULL)),
    CHECK ((status = 'AWAITED') = (finished_at IS NULL))
);
CREATE INDEX image_uploads_of_event ON image_uploads (event_id, sequence DESC);
CREATE INDEX image_uploads_with_files ON image_uploads (status, finished_at) WHERE removed_at IS NULL;
CREATE UNIQUE INDEX image_uploads_one_is_shown ON image_uploads (event_id) WHERE status = 'SHOWN';
