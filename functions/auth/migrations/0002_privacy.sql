-- Exports of what is held on a user, and accounts that have been erased.

ALTER TABLE users ADD COLUMN erased_at TIMESTAMPTZ;

CREATE TABLE exports (
    id           UUID PRIMARY KEY,
    user_id      UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    status       VARCHAR(20) NOT NULL DEFAULT 'COLLECTING'
                 CHECK (status IN ('COLLECTING', 'READY', 'FAILED', 'DISCARDED')),
    parts        TEXT[] NOT NULL DEFAULT '{}',      -- the services that have written theirs
    token_hash   VARCHAR(64) UNIQUE,                -- of the link that was mailed
    expires_at   TIMESTAMPTZ,                       -- the link's end
    requested_at TIMESTAMPTZ NOT NULL,
    asked_at     TIMESTAMPTZ NOT NULL,              -- when the services were last asked
    CONSTRAINT exports_ready_has_a_link CHECK ((status = 'READY') = (token_hash IS NOT NULL AND expires_at IS NOT NULL))
);
CREATE UNIQUE INDEX exports_one_open ON exports (user_id) WHERE status = 'COLLECTING';
CREATE INDEX exports_of_user ON exports (user_id, requested_at);
CREATE INDEX exports_waiting ON exports (asked_at) WHERE status = 'COLLECTING';
