"""Two at the same event: what is decided about it still holds when it is written."""

from shared.contracts import EventUpdated
from tests.programme import Programme, details
from tests.rivals import Later, half_done

CANCELLED = """
    UPDATE events SET status = 'CANCELLED', cancel_reason = 'Rain', version = version + 1 WHERE id = %(id)s
"""
PUBLISHED = "UPDATE events SET status = 'PUBLISHED', version = version + 1 WHERE id = %(id)s"


def told(programme: Programme) -> list[str]:
    return [message["type"] for message in programme.aws.messages("events")]


def test_an_event_that_is_being_cancelled_is_not_changed(programme: Programme) -> None:
    id = programme.published()["id"]
    with half_done(programme.db, CANCELLED, id=id) as cancelling:
        changed = Later(lambda: programme.ask("update_event", details(), id=id, user=programme.organizer))
        assert changed.is_blocked(programme.db)
        cancelling.commit()
    assert (changed.result().status, changed.result().code) == (409, "EVENT_OVER")
    assert EventUpdated.TYPE not in told(programme)


def test_an_event_that_is_being_published_is_not_deleted(programme: Programme) -> None:
    id = programme.draft()["id"]
    with half_done(programme.db, PUBLISHED, id=id) as publishing:
        deleted = Later(lambda: programme.ask("delete_event", id=id, user=programme.organizer))
        assert deleted.is_blocked(programme.db)
        publishing.commit()
    assert deleted.result().status == 409
    assert programme.db.one("SELECT status FROM events") == {"status": "PUBLISHED"}
