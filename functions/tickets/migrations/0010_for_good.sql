-- What is refused for good is refused for reasons that stay.

-- As in 0003. Somebody else may have locked holds that ran out, to give them back: whether there are seats shows when that
-- is over. Waiting here could go round in a circle, so the whole is tried again: 55P03, as if a lock had not been had.
CREATE OR REPLACE FUNCTION take_paid_seats(
    p_event_id UUID, p_type_id UUID, p_user_id UUID, p_quantity INTEGER, p_now TIMESTAMPTZ)
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
        PERFORM expect_no_expired_holds(p_type_id, p_now);
        RAISE EXCEPTION 'sold out' USING ERRCODE = 'BX003';
    END IF;
    IF NOT take_allowance(p_type_id, p_user_id, p_quantity, v_type.per_person_limit) THEN
        PERFORM reclaim_expired_holds(p_type_id, p_now);
        IF NOT take_allowance(p_type_id, p_user_id, p_quantity, v_type.per_person_limit) THEN
            PERFORM expect_no_expired_holds(p_type_id, p_now);
            RAISE EXCEPTION 'the limit per person is reached' USING ERRCODE = 'BX005';
        END IF;
    END IF;
END $$;

CREATE FUNCTION expect_no_expired_holds(p_type_id UUID, p_now TIMESTAMPTZ) RETURNS VOID LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM ticket_reservations r
                WHERE r.ticket_type_id = p_type_id AND r.status = 'HELD' AND r.reserved_until <= p_now) THEN
        RAISE EXCEPTION 'holds that ran out are being given back' USING ERRCODE = '55P03';
    END IF;
END $$;

-- How many seats of a type are kept for tickets that a dispute voided. Once their event has begun nobody else can buy them,
-- and should the dispute be won, they are valid again: so the type is made no smaller then, nor deleted.
CREATE FUNCTION disputed_seats(p_type_id UUID, p_now TIMESTAMPTZ) RETURNS INTEGER LANGUAGE sql STABLE AS $$
    SELECT count(*)::INTEGER FROM tickets k JOIN event_copies e ON e.event_id = k.event_id
     WHERE k.ticket_type_id = p_type_id AND k.void_reason = 'DISPUTED' AND e.event_date <= p_now
$$;
CREATE INDEX tickets_disputed ON tickets (ticket_type_id) WHERE void_reason = 'DISPUTED';
