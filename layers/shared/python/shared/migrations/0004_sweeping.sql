-- What a sweep takes: the messages whose lease was over first, without sorting all that wait.
CREATE INDEX outbox_waiting ON outbox (claimed_until, id) WHERE published_at IS NULL;
