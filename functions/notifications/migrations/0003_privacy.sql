-- Of somebody who has been erased no address and no words are kept, whoever writes the row and however late.

ALTER TABLE recipients ADD COLUMN erased_at TIMESTAMPTZ;  -- the row stays, without the person: no message brings it back

CREATE INDEX notifications_of_user ON notifications (user_id) WHERE user_id IS NOT NULL;
CREATE INDEX notifications_of_address ON notifications (lower(recipient_email)) WHERE user_id IS NULL;

-- Mails that are not sent yet are given up; only the last one, which says that the account is gone, still goes out.
CREATE FUNCTION forget_recipient() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM erased_users e WHERE e.user_id = NEW.user_id)
       OR (NEW.status = 'PENDING' AND NEW.mail_key = 'account-erased:' || NEW.user_id) THEN
        RETURN NEW;
    END IF;
    IF NEW.status = 'PENDING' THEN
        NEW.status := 'FAILED';
        NEW.data := NULL;
    END IF;
    NEW.recipient_email := 'erased@erased.invalid';
    NEW.subject := '';
    -- A provider's words may repeat the address.
    NEW.error_message := CASE WHEN NEW.status = 'FAILED' THEN 'The recipient has been erased' END;
    RETURN NEW;
END $$;
CREATE TRIGGER notifications_forget_recipient BEFORE INSERT OR UPDATE ON notifications FOR EACH ROW
    WHEN (NEW.user_id IS NOT NULL) EXECUTE FUNCTION forget_recipient();
