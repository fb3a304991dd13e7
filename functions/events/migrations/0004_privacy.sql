-- An organizer who has been erased leaves no drafts. A request that was under way meanwhile leaves none either.
CREATE FUNCTION refuse_draft_of_nobody() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM erased_users e WHERE e.user_id = NEW.organizer_id) THEN
        RAISE EXCEPTION 'the organizer has been erased';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER events_of_somebody BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION refuse_draft_of_nobody();
