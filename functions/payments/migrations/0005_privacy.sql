-- Of a buyer who has been erased no card, no text of a provider's and none of an organizer's is kept, whoever writes the
-- row and however late. Amounts, states, dates and the provider's own numbers stay: they are what the law wants kept.
-- What is still under way keeps what it needs until it is over.

CREATE FUNCTION forget_order() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM erased_users e WHERE e.user_id = NEW.user_id) THEN
        NEW.failure_message := NULL;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER orders_forget BEFORE INSERT OR UPDATE ON orders FOR EACH ROW
    WHEN (NEW.failure_message IS NOT NULL) EXECUTE FUNCTION forget_order();

CREATE FUNCTION is_of_erased_user(p_order_id UUID) RETURNS BOOLEAN LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM orders o JOIN erased_users e ON e.user_id = o.user_id WHERE o.id = p_order_id)
$$;

CREATE FUNCTION forget_payment() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    IF is_of_erased_user(NEW.order_id) THEN
        NEW.gateway_response := NULL;
        -- That there was a card is part of the record; which one is not.
        NEW.payment_token := CASE WHEN NEW.payment_token IS NOT NULL THEN 'erased' END;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER payment_transactions_forget BEFORE INSERT OR UPDATE ON payment_transactions FOR EACH ROW
    WHEN (NEW.status NOT IN ('OPEN', 'ACTION_REQUIRED', 'PROCESSING')
          AND (NEW.gateway_response IS NOT NULL OR NEW.payment_token <> 'erased'))
    EXECUTE FUNCTION forget_payment();

CREATE FUNCTION forget_refund() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    IF is_of_erased_user(NEW.order_id) THEN
        NEW.reason := 'erased';
        NEW.failure := NULL;
    END IF;
    RETURN NEW;
END $$;
-- A refund on its way is asked for again with the words that it was first asked for with.
CREATE TRIGGER refunds_forget BEFORE INSERT OR UPDATE ON refunds FOR EACH ROW
    WHEN (NEW.status <> 'REQUESTED' AND (NEW.reason <> 'erased' OR NEW.failure IS NOT NULL))
    EXECUTE FUNCTION forget_refund();
