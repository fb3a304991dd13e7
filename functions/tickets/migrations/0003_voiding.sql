-- A cancelled event, disputed payments, late money, and what became of the mail with the tickets.

-- Calling an event off is carried through in batches: `voiding_at` is the last batch's time, `voided_at` the end.
ALTER TABLE event_copies
    ADD COLUMN cancel_reason TEXT,
    ADD COLUMN voiding_at    TIMESTAMPTZ,
    ADD COLUMN voided_at     TIMESTAMPTZ;
CREATE INDEX event_copies_to_void ON event_copies (event_id) WHERE status = 'CANCELLED' AND voided_at IS NULL;

ALTER TABLE tickets
    ADD COLUMN void_reason VARCHAR(20) CHECK (void_reason IN ('REFUNDED', 'EVENT_CANCELLED', 'DISPUTED'));
-- The next batch of a cancelled event is the front of this, however much was voided before.
CREATE INDEX tickets_valid_of_event ON tickets (event_id, order_id) WHERE status <> 'VOID';

ALTER TABLE purchases
    ADD COLUMN late_payment        VARCHAR(20) CHECK (late_payment IN ('HONOURED', 'REFUSED')),
    ADD COLUMN delivery_status     VARCHAR(20) NOT NULL DEFAULT 'PENDING' CHECK (delivery_status IN (
                                       'PENDING', 'SENT', 'DELIVERED', 'BOUNCED', 'COMPLAINED', 'FAILED')),
    ADD COLUMN delivery_mail_id    UUID,            -- the mail that the status is of: the newest with the tickets
    ADD COLUMN delivery_changed_at TIMESTAMPTZ;
CREATE INDEX purchases_bound_of_event ON purchases (event_id) WHERE status = 'BOUND';

-- Give the unbound holds of a cancelled event back, at most so many rows; how many it were. A row that its buyer is
-- buying or giving back at this moment is skipped.
CREATE FUNCTION release_holds_of_event(p_event_id UUID, p_limit INTEGER) RETURNS INTEGER LANGUAGE plpgsql AS $$
DECLARE
    v_ids UUID[];
BEGIN
    v_ids := ARRAY(
        SELECT r.id FROM ticket_reservations r
         WHERE r.status = 'HELD'
           AND r.ticket_type_id IN (SELECT t.id FROM ticket_types t WHERE t.event_id = p_event_id)
         LIMIT p_limit FOR UPDATE OF r SKIP LOCKED);
    PERFORM give_back_holds(v_ids, 'RELEASED');
    RETURN coalesce(array_length(v_ids, 1), 0);
END $$;

-- As `void_tickets` of two arguments, and say why.
CREATE FUNCTION void_tickets(p_order_id UUID, p_ticket_ids UUID[], p_reason TEXT)
RETURNS SETOF tickets LANGUAGE plpgsql AS $$
DECLARE
    v_ids UUID[];
BEGIN
    v_ids := ARRAY(SELECT k.id FROM void_tickets(p_order_id, p_ticket_ids) k);
    UPDATE tickets k SET void_reason = p_reason WHERE k.id = ANY(v_ids);
    RETURN QUERY SELECT * FROM tickets k WHERE k.id = ANY(v_ids);
END $$;

-- Take so many seats of a type for a buyer who has paid: stock and limit decide, as for everybody; whether the sale is
-- still open does not. An error says what is missing: BX003 the stock, BX005 the limit.
CREATE FUNCTION take_paid_seats(p_event_id UUID, p_type_id UUID, p_user_id UUID, p_quantity INTEGER, p_now TIMESTAMPTZ)
RETURNS VOID LANGUAGE plpgsql AS $$
DECLARE
    v_type ticket_types;
BEGIN
    SELECT * INTO v_type FROM take_stock(p_event_id, p_type_id, p_quantity);
    IF NOT FOUND THEN
        PERFORM reclaim_expired_holds(p_type_id, p_now);
        SELECT * INTO v_type FROM take_stock(p_event_id, p_type_id, p_quantity);
    END IF;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'sold out' USING ERRCODE = 'BX003';
    END IF;
    IF NOT take_allowance(p_type_id, p_user_id, p_quantity, v_type.per_person_limit) THEN
        PERFORM reclaim_expired_holds(p_type_id, p_now);
        IF NOT take_allowance(p_type_id, p_user_id, p_quantity, v_type.per_person_limit) THEN
            RAISE EXCEPTION 'the limit per person is reached' USING ERRCODE = 'BX005';
        END IF;
    END IF;
END $$;

-- Late money: hold the seats of a released reservation again, at their frozen prices, all or none. NULL if they are
-- bound again, or else why not; then nothing has changed. The caller holds the purchase's lock.
CREATE FUNCTION rebind_seats(p_reservation_id UUID, p_now TIMESTAMPTZ) RETURNS TEXT LANGUAGE plpgsql AS $$
DECLARE
    v_item RECORD;
BEGIN
    FOR v_item IN
        SELECT r.event_id, r.ticket_type_id, r.user_id, r.quantity FROM ticket_reservations r
         WHERE r.reservation_id = p_reservation_id ORDER BY r.ticket_type_id FOR NO KEY UPDATE
    LOOP
        PERFORM take_paid_seats(v_item.event_id, v_item.ticket_type_id, v_item.user_id, v_item.quantity, p_now);
    END LOOP;
    UPDATE ticket_reservations r SET status = 'BOUND' WHERE r.reservation_id = p_reservation_id;
    RETURN NULL;
EXCEPTION
    WHEN SQLSTATE 'BX003' THEN RETURN 'SOLD_OUT';
    WHEN SQLSTATE 'BX005' THEN RETURN 'PER_PERSON_LIMIT';
END $$;

-- A dispute that was won: the tickets it voided are valid again if their seats can be had again, all or none. NULL if
-- so, or else why not; then nothing has changed. The caller holds the purchase's lock.
CREATE FUNCTION reinstate_tickets(p_order_id UUID, p_now TIMESTAMPTZ) RETURNS TEXT LANGUAGE plpgsql AS $$
DECLARE
    v_item RECORD;
BEGIN
    FOR v_item IN
        SELECT k.event_id, k.ticket_type_id AS type_id, k.user_id, count(*)::INTEGER AS quantity FROM tickets k
         WHERE k.order_id = p_order_id AND k.void_reason = 'DISPUTED' GROUP BY 1, 2, 3 ORDER BY 2
    LOOP
        PERFORM take_paid_seats(v_item.event_id, v_item.type_id, v_item.user_id, v_item.quantity, p_now);
        UPDATE ticket_types t SET quantity_sold = t.quantity_sold + v_item.quantity,
                                  quantity_held = t.quantity_held - v_item.quantity
         WHERE t.id = v_item.type_id;
    END LOOP;
    UPDATE tickets k SET status = CASE WHEN k.checked_in_at IS NULL THEN 'ACTIVE' ELSE 'USED' END,
                         void_reason = NULL, version = k.version + 1
     WHERE k.order_id = p_order_id AND k.void_reason = 'DISPUTED';
    RETURN NULL;
EXCEPTION
    WHEN SQLSTATE 'BX003' THEN RETURN 'SOLD_OUT';
    WHEN SQLSTATE 'BX005' THEN RETURN 'PER_PERSON_LIMIT';
END $$;
