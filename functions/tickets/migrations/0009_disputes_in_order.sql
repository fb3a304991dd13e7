-- Which version of its order told last whether a purchase's tickets are to be void or valid: what an older one told is
-- over, however late it comes.
ALTER TABLE purchases ADD COLUMN order_version INTEGER NOT NULL DEFAULT 0;
