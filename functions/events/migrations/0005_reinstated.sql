-- Void is not for good: a dispute that was won makes its tickets valid again. The purchase's version in each message says
-- which is newer. `is_void` stays, what both together come to: the code before reads it, and sets it.
ALTER TABLE sales_tickets
    ADD COLUMN voided_version INTEGER;            -- the order's, in tickets, of the newest news that it is void
