-- Who has been erased. What arrives late about them must not bring them back: each service's own tables look here.
CREATE TABLE erased_users (
    user_id   UUID PRIMARY KEY,
    erased_at TIMESTAMPTZ NOT NULL
);
