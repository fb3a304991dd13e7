-- Money that a provider has given back and that may have been given back behind our back: while a refund of ours is on
-- its way nobody can tell, so the provider is asked again when none is.

ALTER TABLE orders ADD COLUMN refunds_unclear BOOLEAN NOT NULL DEFAULT FALSE;
CREATE INDEX orders_refunds_unclear ON orders (updated_at) WHERE refunds_unclear;
