-- How stock moves. Counters of ticket_types are locked in the order of their ids, by everybody; whoever also locks
-- reservations locks those first, or skips those that are locked. ticket_type_buyers is touched only under the lock of
-- its type. So nobody waits in a circle.

-- Give the seats of these reservation rows back, and what they count against their buyers' limits.
-- The caller holds the rows' locks and has seen them HELD or BOUND.
CREATE FUNCTION give_back_holds(p_ids UUID[], p_status TEXT) RETURNS VOID LANGUAGE plpgsql AS $$
DECLARE
    v_type RECORD;
BEGIN
    FOR v_type IN
        SELECT r.ticket_type_id AS id, sum(r.quantity)::INTEGER AS quantity
          FROM ticket_reservations r WHERE r.id = ANY(p_ids) GROUP BY 1 ORDER BY 1
    LOOP
        UPDATE ticket_types t SET quantity_held = t.quantity_held - v_type.quantity WHERE t.id = v_type.id;
    END LOOP;
    UPDATE ticket_type_buyers b SET taken = b.taken - gone.quantity
      FROM (SELECT r.ticket_type_id, r.user_id, sum(r.quantity)::INTEGER AS quantity
              FROM ticket_reservations r WHERE r.id = ANY(p_ids) GROUP BY 1, 2) gone
     WHERE b.ticket_type_id = gone.ticket_type_id AND b.user_id = gone.user_id;
    UPDATE ticket_reservations r SET status = p_status WHERE r.id = ANY(p_ids);
END $$;

-- The sweep: give back what ran out, oldest first, at most so many rows; their number, and the types touched.
-- A bound reservation is its saga's to release.
CREATE FUNCTION expire_holds(p_now TIMESTAMPTZ, p_limit INTEGER)
RETURNS TABLE (event_id UUID, ticket_type_id UUID, expired INTEGER) LANGUAGE plpgsql AS $$
DECLARE
    v_ids UUID[];
BEGIN
    v_ids := ARRAY(
        SELECT r.id FROM ticket_reservations r
         WHERE r.status = 'HELD' AND r.reserved_until <= p_now
         ORDER BY r.reserved_until LIMIT p_limit FOR UPDATE SKIP LOCKED);
    PERFORM give_back_holds(v_ids, 'EXPIRED');
    RETURN QUERY SELECT r.event_id, r.ticket_type_id, count(*)::INTEGER
                   FROM ticket_reservations r WHERE r.id = ANY(v_ids) GROUP BY 1, 2;
END $$;

-- Give back what ran out of one type, when somebody wants it. Takes the type's lock only if there is something.
CREATE FUNCTION reclaim_expired_holds(p_type_id UUID, p_now TIMESTAMPTZ) RETURNS VOID LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM ticket_reservations r
                WHERE r.ticket_type_id = p_type_id AND r.status = 'HELD' AND r.reserved_until <= p_now) THEN
        -- The type first: a neighbour who reclaims the same rows is waited for, not skipped.
        PERFORM FROM ticket_types t WHERE t.id = p_type_id FOR NO KEY UPDATE;
        PERFORM give_back_holds(ARRAY(
            SELECT r.id FROM ticket_reservations r
             WHERE r.ticket_type_id = p_type_id AND r.status = 'HELD' AND r.reserved_until <= p_now
               FOR UPDATE SKIP LOCKED), 'EXPIRED');
    END IF;
END $$;

-- Count so many tickets as held, if there are that many. The guard and the change are one statement, so two buyers
-- cannot both take the last ticket; the table's CHECK stands behind it.
CREATE FUNCTION take_stock(p_event_id UUID, p_type_id UUID, p_quantity INTEGER)
RETURNS SETOF ticket_types LANGUAGE sql AS $$
    UPDATE ticket_types t SET quantity_held = t.quantity_held + p_quantity
     WHERE t.id = p_type_id AND t.event_id = p_event_id AND t.deleted_at IS NULL
       AND t.quantity_sold + t.quantity_held + p_quantity <= t.quantity_available
    RETURNING t.*
$$;

-- Count so many tickets against the buyer's limit, if it allows them. Call it under the type's lock.
CREATE FUNCTION take_allowance(p_type_id UUID, p_user_id UUID, p_quantity INTEGER, p_allowed INTEGER)
RETURNS BOOLEAN LANGUAGE plpgsql AS $$
BEGIN
    IF p_quantity > p_allowed THEN
        RETURN FALSE;
    END IF;
    INSERT INTO ticket_type_buyers AS b (ticket_type_id, user_id, taken, allowed)
    VALUES (p_type_id, p_user_id, p_quantity, p_allowed)
    ON CONFLICT (ticket_type_id, user_id) DO UPDATE
       SET taken = b.taken + EXCLUDED.taken, allowed = EXCLUDED.allowed
     WHERE b.taken + EXCLUDED.taken <= EXCLUDED.allowed;
    RETURN FOUND;
END $$;

-- Reserve: hold every item or none. An error undoes the caller's whole transaction; its DETAIL is JSON that names the
-- item by its position. BX001 the event is not on sale, BX002 no such type, BX003 sold out, BX004 the sale is closed,
-- BX005 the buyer's limit.
CREATE FUNCTION hold_tickets(
    p_reservation_id UUID, p_user_id UUID, p_event_id UUID, p_type_ids UUID[], p_quantities INTEGER[],
    p_now TIMESTAMPTZ, p_hold_seconds INTEGER)
RETURNS SETOF ticket_reservations LANGUAGE plpgsql AS $$
DECLARE
    v_event event_copies;
    v_type  ticket_types;
    v_item  RECORD;
    v_held  ticket_reservations;
BEGIN
    SELECT * INTO v_event FROM event_copies e WHERE e.event_id = p_event_id;
    IF v_event.status IS DISTINCT FROM 'PUBLISHED' THEN
        RAISE EXCEPTION 'the event is not on sale' USING ERRCODE = 'BX001',
            DETAIL = json_build_object('status', v_event.status);
    END IF;
    FOR v_item IN
        SELECT w.type_id, w.quantity, w.position - 1 AS position
          FROM unnest(p_type_ids, p_quantities) WITH ORDINALITY AS w (type_id, quantity, position)
         ORDER BY w.type_id
    LOOP
        SELECT * INTO v_type FROM take_stock(p_event_id, v_item.type_id, v_item.quantity);
        IF NOT FOUND THEN
            PERFORM reclaim_expired_holds(v_item.type_id, p_now);
            SELECT * INTO v_type FROM take_stock(p_event_id, v_item.type_id, v_item.quantity);
        END IF;
        IF NOT FOUND THEN
            SELECT * INTO v_type FROM ticket_types t
             WHERE t.id = v_item.type_id AND t.event_id = p_event_id AND t.deleted_at IS NULL;
            IF NOT FOUND THEN
                RAISE EXCEPTION 'no such ticket type' USING ERRCODE = 'BX002',
                    DETAIL = json_build_object('item', v_item.position);
            END IF;
            RAISE EXCEPTION 'sold out' USING ERRCODE = 'BX003', DETAIL = json_build_object(
                'item', v_item.position, 'left', v_type.quantity_available - v_type.quantity_sold - v_type.quantity_held);
        END IF;
        IF v_event.event_date <= p_now OR v_type.sale_start_date > p_now OR v_type.sale_end_date <= p_now THEN
            RAISE EXCEPTION 'the sale is closed' USING ERRCODE = 'BX004',
                DETAIL = json_build_object('item', v_item.position);
        END IF;
        IF NOT take_allowance(v_item.type_id, p_user_id, v_item.quantity, v_type.per_person_limit) THEN
            PERFORM reclaim_expired_holds(v_item.type_id, p_now);
            IF NOT take_allowance(v_item.type_id, p_user_id, v_item.quantity, v_type.per_person_limit) THEN
                RAISE EXCEPTION 'the limit per person is reached' USING ERRCODE = 'BX005',
                    DETAIL = json_build_object('item', v_item.position, 'limit', v_type.per_person_limit);
            END IF;
        END IF;
        INSERT INTO ticket_reservations AS r (reservation_id, position, user_id, event_id, ticket_type_id, quantity,
                                              unit_price, currency, reserved_until, created_at)
        VALUES (p_reservation_id, v_item.position, p_user_id, p_event_id, v_item.type_id, v_item.quantity,
                v_type.price, v_type.currency, p_now + make_interval(secs => p_hold_seconds), p_now)
        RETURNING r.* INTO v_held;
        RETURN NEXT v_held;
    END LOOP;
END $$;

-- Issue: what a reservation held is sold. The caller holds the purchase's lock.
CREATE FUNCTION sell_bound_seats(p_reservation_id UUID) RETURNS VOID LANGUAGE plpgsql AS $$
DECLARE
    v_item RECORD;
BEGIN
    FOR v_item IN
        SELECT r.ticket_type_id AS id, r.quantity FROM ticket_reservations r
         WHERE r.reservation_id = p_reservation_id AND r.status = 'BOUND' ORDER BY 1
    LOOP
        UPDATE ticket_types t SET quantity_sold = t.quantity_sold + v_item.quantity,
                                  quantity_held = t.quantity_held - v_item.quantity
         WHERE t.id = v_item.id;
    END LOOP;
    UPDATE ticket_reservations r SET status = 'ISSUED'
     WHERE r.reservation_id = p_reservation_id AND r.status = 'BOUND';
END $$;

-- Void tickets: what was sold is on sale again, and no longer counts against the buyer's limit. All of the order's if
-- p_ticket_ids is NULL; a ticket that is void already is passed over. The caller holds the purchase's lock.
CREATE FUNCTION void_tickets(p_order_id UUID, p_ticket_ids UUID[]) RETURNS SETOF tickets LANGUAGE plpgsql AS $$
DECLARE
    v_ids  UUID[];
    v_type RECORD;
BEGIN
    WITH voided AS (
        UPDATE tickets k SET status = 'VOID', version = k.version + 1
         WHERE k.order_id = p_order_id AND k.status <> 'VOID' AND (p_ticket_ids IS NULL OR k.id = ANY(p_ticket_ids))
        RETURNING k.id)
    SELECT array_agg(voided.id) INTO v_ids FROM voided;
    FOR v_type IN
        SELECT k.ticket_type_id AS id, k.user_id, count(*)::INTEGER AS quantity
          FROM tickets k WHERE k.id = ANY(v_ids) GROUP BY 1, 2 ORDER BY 1
    LOOP
        UPDATE ticket_types t SET quantity_sold = t.quantity_sold - v_type.quantity WHERE t.id = v_type.id;
        UPDATE ticket_type_buyers b SET taken = b.taken - v_type.quantity
         WHERE b.ticket_type_id = v_type.id AND b.user_id = v_type.user_id;
    END LOOP;
    RETURN QUERY SELECT * FROM tickets k WHERE k.id = ANY(v_ids);
END $$;
