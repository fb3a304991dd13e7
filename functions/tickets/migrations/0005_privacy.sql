-- Of a buyer who has been erased no name and no card is kept, whoever writes the row and however late. An order that is
-- being paid runs to its end first: it needs the card until then.

CREATE FUNCTION forget_buyer() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM erased_users e WHERE e.user_id = NEW.user_id) THEN
        NEW.holder_names := '[]';
        IF NEW.status <> 'BOUND' AND NEW.payment_token IS NOT NULL THEN
            NEW.payment_token := 'erased';
        END IF;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER purchases_forget_buyer BEFORE INSERT OR UPDATE ON purchases FOR EACH ROW
    WHEN (NEW.holder_names <> '[]' OR NEW.payment_token <> 'erased') EXECUTE FUNCTION forget_buyer();

CREATE FUNCTION forget_holder() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM erased_users e WHERE e.user_id = NEW.user_id) THEN
        NEW.holder_name := NULL;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER tickets_forget_holder BEFORE INSERT OR UPDATE ON tickets FOR EACH ROW
    WHEN (NEW.holder_name IS NOT NULL) EXECUTE FUNCTION forget_holder();
