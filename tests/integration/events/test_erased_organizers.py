"""Of an organizer who was erased no draft is left, nor comes back, whatever is under way."""

from uuid import UUID, uuid4

from functions.events.consumers import users
from shared.clock import iso, now
from shared.contracts import UserErased
from tests.programme import Programme, details
from tests.sales_told import Told
from tests.support import context


def erase(programme: Programme) -> None:
    data = {"userId": str(programme.organizer.id), "email": "ada@example.com", "firstName": "Ada"}
    envelope = {
        "id": str(uuid4()),
        "type": UserErased.TYPE,
        "subject": data["userId"],
        "sequence": 1,
        "time": iso(now()),
        "data": data,
    }
    record = programme.aws.record("events-users", envelope)
    assert users.handler({"Records": [record]}, context()) == {"batchItemFailures": []}


def stock(programme: Programme, event_id: str) -> Told:
    told = Told(programme.aws, event_id)
    told.stock(1, (UUID(int=1), "Ada's birthday", "10.00", 10, 0, 0))
    return told


def test_drafts_go_and_what_is_on_stays(programme: Programme) -> None:
    on, draft = programme.published()["id"], programme.draft()["id"]
    stock(programme, draft).deliver()
    erase(programme)
    assert programme.db.all("SELECT id::text FROM events") == [{"id": on}]
    assert programme.db.all("SELECT FROM sales_types") == []


def test_a_request_that_was_under_way_leaves_no_draft(programme: Programme) -> None:
    erase(programme)
    reply = programme.ask("create_event", details(), user=programme.organizer)
    assert reply.status >= 400
    assert programme.db.all("SELECT FROM events") == []


def test_news_of_a_draft_that_went_keep_no_names(programme: Programme) -> None:
    draft = programme.draft()["id"]
    late = stock(programme, draft)
    erase(programme)
    late.deliver()
    for table in ("sales_messages", "sales_types"):
        assert programme.db.all(f"SELECT FROM {table}") == []
