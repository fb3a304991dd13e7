"""What the database of every service refuses by itself: a message, a request or an erasure twice."""

from uuid import UUID

from psycopg2.extras import Json

from shared.clock import now
from tests.databases import TestDatabase
from tests.refusals import add, constraints, not_refused

ONE, TWO = UUID(int=1), UUID(int=2)

REFUSED = [
    ("outbox_message_id_key", f"UPDATE outbox SET message_id = '{ONE}'"),
    ("inbox_pkey", f"UPDATE inbox SET message_id = '{ONE}'"),
    ("idempotency_keys_pkey", "UPDATE idempotency_keys SET key = 'same'"),
    ("erased_users_pkey", f"UPDATE erased_users SET user_id = '{ONE}'"),
    ("schema_migrations_pkey", "UPDATE schema_migrations SET name = 'same'"),
]


def test_what_cannot_be_is_refused(store: TestDatabase) -> None:
    at = now()
    for id in (ONE, TWO):
        message = {"destination": "topic", "type": "x", "subject": id, "version": 1, "payload": Json({})}
        add(store, "outbox", message_id=id, sensitive=False, created_at=at, claimed_until=at, **message)
        add(store, "inbox", consumer="mail", message_id=id, received_at=at)
        add(store, "idempotency_keys", scope="me POST /", key=str(id), request_hash="x", created_at=at)
        add(store, "erased_users", user_id=id, erased_at=at)
    assert not_refused(store, REFUSED) == []


def test_every_constraint_is_tried(store: TestDatabase) -> None:
    assert constraints(store, shared=True) == {constraint for constraint, _ in REFUSED}
