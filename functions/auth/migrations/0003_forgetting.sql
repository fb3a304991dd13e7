-- What is deleted when it is over is found by its age.
CREATE INDEX used_refresh_tokens_used ON used_refresh_tokens (used_at);
CREATE INDEX exports_requested ON exports (requested_at);
