"""Idempotency keys: the first answer again, or a conflict; never two effects."""

import threading
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

import pytest

from shared.api import Api
from shared.database import Database, Sql
from shared.errors import Conflict
from shared.identity import User
from shared.wire import Answer, Body
from tests.databases import TestDatabase
from tests.support import Reply, a_user, call

PATH = "/api/things"
BUYER = UUID("0d5cbb2e-7d0b-4d58-8e61-1f3a64be7f4e")


class Thing(Body):
    name: str


class Made(Answer):
    id: UUID
    name: str


class Full(Conflict):
    code = "FULL"


def api_on(database: Database) -> Api:
    api = Api("notifications", database)

    @api.post(PATH, status=201, idempotent="required")
    def make_thing(request: Thing, _buyer: User, sql: Sql) -> Made:
        sql.run("INSERT INTO things (name) VALUES (%(name)s)", name=request.name)
        if request.name == "refused":
            raise Full()
        return Made(id=uuid4(), name=request.name)

    return api


@pytest.fixture
def api(database: Database, store: TestDatabase) -> Api:
    store.run("CREATE TABLE things (name TEXT)")
    store.run("GRANT ALL ON things TO PUBLIC")
    return api_on(database)


def post(api: Api, name: str, key: str | None = "key-1", user: UUID = BUYER, path: str = PATH) -> Reply:
    headers = {} if key is None else {"Idempotency-Key": key}
    return call(api.handler, "POST", path, body={"name": name}, user=a_user(id=user), headers=headers)


def test_the_same_request_gives_the_first_answer_again(api: Api, store: TestDatabase) -> None:
    first, second = post(api, "chair"), post(api, "chair")

    assert (first.status, second.status) == (201, 201)
    assert second.body == first.body
    assert "Idempotency-Replayed" not in first.headers
    assert second.headers["Idempotency-Replayed"] == "true"
    assert len(store.all("SELECT 1 FROM things")) == 1


def test_a_slash_at_the_end_of_the_path_makes_it_no_other_request(api: Api, store: TestDatabase) -> None:
    """API Gateway overlooks it, and calls the same function."""
    first = post(api, "chair")

    second = post(api, "chair", path=f"{PATH}/")

    assert second.body == first.body
    assert len(store.all("SELECT 1 FROM things")) == 1


def test_another_request_under_the_same_key_is_a_conflict(api: Api, store: TestDatabase) -> None:
    post(api, "chair")

    reply = post(api, "table")

    assert reply.status == 409
    assert reply.body["error"]["code"] == "IDEMPOTENCY_CONFLICT"
    assert len(store.all("SELECT 1 FROM things")) == 1


def test_keys_of_two_users_do_not_meet(api: Api, store: TestDatabase) -> None:
    post(api, "chair")

    assert post(api, "table", user=uuid4()).status == 201
    assert len(store.all("SELECT 1 FROM things")) == 2


def test_a_refusal_is_not_kept(api: Api, store: TestDatabase) -> None:
    assert post(api, "refused").status == 409

    assert store.all("SELECT 1 FROM idempotency_keys") == []
    assert post(api, "chair").status == 201


def test_a_missing_key_is_named(api: Api) -> None:
    reply = post(api, "chair", key=None)

    assert reply.status == 400
    assert reply.body["error"]["details"][0]["field"] == "Idempotency-Key"


@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "k" * 256}])
def test_a_wrong_key_is_named_with_the_other_wrong_fields(api: Api, headers: dict[str, str]) -> None:
    answer = call(api.handler, "POST", PATH, body={"nmae": "chair"}, user=a_user(), headers=headers)

    assert answer.fields == {"Idempotency-Key", "name", "nmae"}


def test_a_key_is_forgotten_after_a_day(api: Api, store: TestDatabase) -> None:
    post(api, "chair")
    store.run("UPDATE idempotency_keys SET created_at = now() - interval '25 hours'")

    assert post(api, "table").status == 201


def test_duplicates_at_the_same_moment_have_one_effect_and_one_answer(api: Api, store: TestDatabase) -> None:
    barrier = threading.Barrier(8)

    def buyer(_: int) -> Reply:
        own = Database("notifications")
        other = api_on(own)
        barrier.wait()
        try:
            return post(other, "chair")
        finally:
            own.reset()

    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(buyer, range(8)))

    assert {reply.status for reply in replies} == {201}
    assert len({reply.body["id"] for reply in replies}) == 1
    assert len(store.all("SELECT 1 FROM things")) == 1


def test_without_the_key_the_same_moment_would_have_had_eight_effects(api: Api, store: TestDatabase) -> None:
    """The negative control of the test above: the effect itself does not prevent duplicates."""
    for number in range(8):
        post(api, "chair", key=f"key-{number}")

    assert len(store.all("SELECT 1 FROM things")) == 8
