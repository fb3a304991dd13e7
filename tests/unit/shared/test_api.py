"""The API layer: who may call, what is refused by name, what every answer carries."""

import json
from typing import Annotated, Any
from uuid import UUID

import pytest
from aws_lambda_powertools.event_handler.openapi.params import Header
from pydantic import Field

from shared.api import Api
from shared.errors import NotFound, TooManyRequests, Unavailable
from shared.identity import Role, User
from shared.paging import Cursor, Limit
from shared.requests import RawRequest
from shared.responses import File
from shared.wire import Answer, Body, Instant, Money
from tests.support import Reply, a_user, call

PATH = "/api/events/{eventId}/items"
EVENT_ID = UUID("5b0a4e57-8f0e-4a52-8f6a-d8c5b0a6c1b2")


class Line(Body):
    quantity: Annotated[int, Field(ge=1, le=10)]


class Order(Body):
    buyer_name: str
    price: Money
    at: Instant
    lines: list[Line]


class Echo(Answer):
    event_id: UUID
    buyer_name: str
    price: Money
    at: Instant
    limit: int
    if_match: str | None


@pytest.fixture
def api() -> Api:
    api = Api("events")

    @api.post(PATH, status=201, role=Role.ORGANIZER)
    def add_items(
        event_id: UUID,
        request: Order,
        user: User,
        limit: Limit = 20,
        cursor: Cursor | None = None,
        if_match: Annotated[str | None, Header(alias="If-Match")] = None,
    ) -> Echo:
        assert user.token == "a-token"
        assert cursor is None
        return Echo(
            event_id=event_id,
            buyer_name=request.buyer_name,
            price=request.price,
            at=request.at,
            limit=limit,
            if_match=if_match,
        )

    return api


def order(**changes: Any) -> dict[str, Any]:
    good = {
        "buyerName": " Ada ",
        "price": "12.5",
        "at": "2027-01-01T12:00:00+02:00",
        "lines": [{"quantity": 2}],
    }
    return good | changes


def post(api: Api, body: Any = None, role: Role | None = Role.ORGANIZER, **options: Any) -> Reply:
    path = options.pop("path", PATH.replace("{eventId}", str(EVENT_ID)))
    if "raw_body" not in options:
        options["body"] = body or order()
    return call(api.handler, "POST", path, user=a_user(role) if role else None, **options)


def fields(reply: Reply) -> list[str]:
    assert reply.status == 400, reply.body
    assert reply.body["error"]["code"] == "VALIDATION_ERROR"
    return [detail["field"] for detail in reply.body["error"]["details"]]


def test_names_on_the_wire_are_camel_case_money_a_string_instants_utc(api: Api) -> None:
    reply = post(api, query={"limit": "5"}, headers={"if-match": "7"})

    assert reply.status == 201
    assert reply.body == {
        "eventId": str(EVENT_ID),
        "buyerName": "Ada",
        "price": "12.50",
        "at": "2027-01-01T10:00:00.000Z",
        "limit": 5,
        "ifMatch": "7",
    }


def test_every_offending_field_is_named(api: Api) -> None:
    wrong = order(price="-1", lines=[{"quantity": 1}, {"quantity": 0}], surprise=1)

    reply = post(api, wrong, query={"limit": "500", "cursor": "made-up"})

    assert sorted(fields(reply)) == ["cursor", "limit", "lines[1].quantity", "price", "surprise"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ("{bad", "body"),
        ("", "body"),
        ("[]", "body"),
        ('"text"', "body"),
        ("NaN", "body"),
        ("[" * 100_000, "body"),
        (json.dumps(order(buyerName="\x00")), "buyerName"),
        (json.dumps(order(buyerName="\ud800")), "buyerName"),
        (json.dumps(order(price="NaN")), "price"),
        (json.dumps(order(price="1.234")), "price"),
        (json.dumps(order(price="123456789.00")), "price"),
        (json.dumps(order(at="2027-01-01T12:00:00")), "at"),
        (json.dumps(order(lines="many")), "lines"),
    ],
)
def test_what_cannot_be_read_is_a_400_that_names_the_field(api: Api, body: str, field: str) -> None:
    assert fields(post(api, raw_body=body)) == [field]


def test_deep_nesting_is_refused(api: Api) -> None:
    deep: Any = 1
    for _ in range(40):
        deep = [deep]

    assert fields(post(api, order(lines=deep))) == ["lines"]


def test_bytes_that_are_no_text_are_refused(api: Api) -> None:
    assert fields(post(api, raw_body=b"\xff\xfe")) == ["body"]


def test_a_form_is_not_json(api: Api) -> None:
    reply = post(api, raw_body="a=b", headers={"Content-Type": "application/x-www-form-urlencoded"})

    assert fields(reply) == ["Content-Type"]


def test_a_path_parameter_that_is_no_uuid_is_named(api: Api) -> None:
    assert fields(post(api, path="/api/events/abc/items")) == ["eventId"]


def test_a_role_too_small_is_refused_before_the_body_is_read(api: Api) -> None:
    assert post(api, role=Role.ATTENDEE, raw_body="{bad").status == 403


def test_an_admin_passes_where_an_organizer_does(api: Api) -> None:
    assert post(api, role=Role.ADMIN).status == 201


def test_without_the_authorizers_context_it_is_401(api: Api) -> None:
    reply = post(api, role=None)

    assert reply.status == 401
    assert reply.body["error"]["code"] == "UNAUTHORIZED"


def test_an_unknown_version_is_refused_and_ours_is_said(api: Api) -> None:
    reply = post(api, headers={"API-Version": "7"})

    assert reply.status == 400
    assert reply.body["error"]["code"] == "UNSUPPORTED_VERSION"
    assert reply.headers["API-Version"] == "1"


def test_every_answer_carries_the_contracts_headers(api: Api) -> None:
    for reply in (post(api), post(api, raw_body="{")):
        assert reply.headers["API-Version"] == "1"
        assert reply.headers["X-Request-Id"]
        assert reply.headers["Content-Type"] == "application/json"
        assert reply.headers["X-Content-Type-Options"] == "nosniff"
        assert reply.headers["Cache-Control"] == "no-store"


def test_an_error_carries_the_requests_id(api: Api) -> None:
    reply = post(api, raw_body="{")

    assert reply.body["error"]["requestId"] == reply.headers["X-Request-Id"]
    assert reply.body["error"]["timestamp"].endswith("Z")


def test_cors_headers_are_for_our_origins_only(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEB_ORIGINS", "https://tickets.example,https://www.tickets.example")

    ours = post(api, headers={"Origin": "https://www.tickets.example"})
    theirs = post(api, headers={"Origin": "https://evil.example"})

    assert ours.headers["Access-Control-Allow-Origin"] == "https://www.tickets.example"
    assert "Retry-After" in ours.headers["Access-Control-Expose-Headers"]
    assert "Access-Control-Allow-Origin" not in theirs.headers


def failing(error: Exception) -> Reply:
    api = Api("events")

    @api.get("/api/fails")
    def fails() -> None:
        raise error

    return call(api.handler, "GET", "/api/fails")


def test_a_broken_dependency_is_a_503_with_retry_after() -> None:
    reply = failing(Unavailable("database", retry_after=2))

    assert (reply.status, reply.headers["Retry-After"]) == (503, "2")
    assert "database" not in json.dumps(reply.body)


def test_too_often_is_a_429_with_retry_after() -> None:
    reply = failing(TooManyRequests(retry_after=30))

    assert (reply.status, reply.headers["Retry-After"]) == (429, "30")


def test_whatever_else_is_a_500_that_says_nothing(caplog: pytest.LogCaptureFixture) -> None:
    reply = failing(RuntimeError("password=hunter2"))

    assert reply.status == 500
    assert "hunter2" not in json.dumps(reply.body)
    assert "RuntimeError" in caplog.text


def test_a_domain_error_gives_its_own_status() -> None:
    assert failing(NotFound()).status == 404


def test_no_result_is_a_204_without_a_body() -> None:
    api = Api("events")

    @api.delete("/api/things/{thingId}", status=204)
    def remove(thing_id: UUID) -> None:
        assert thing_id == EVENT_ID

    reply = call(api.handler, "DELETE", f"/api/things/{EVENT_ID}")

    assert (reply.status, reply.body) == (204, "")


def test_a_file_keeps_its_bytes_and_its_type() -> None:
    api = Api("events")

    @api.get("/api/picture", cache_seconds=60)
    def picture() -> File:
        return File(b"\x89PNG\xff", "image/png")

    reply = call(api.handler, "GET", "/api/picture")

    assert reply.body == b"\x89PNG\xff"
    assert reply.headers["Content-Type"] == "image/png"
    assert reply.headers["Cache-Control"] == "public, max-age=60"


def test_a_raw_request_has_the_exact_bytes() -> None:
    api = Api("events")
    seen: list[bytes] = []

    @api.post("/api/hook")
    def hook(request: RawRequest) -> None:
        seen.append(request.body)

    call(api.handler, "POST", "/api/hook", raw_body='{"a":  "ü"}')

    assert seen == ['{"a":  "ü"}'.encode()]


def test_what_a_route_declares_can_be_read(api: Api) -> None:
    (declared,) = api.declared

    assert (declared.method, declared.path, declared.status, declared.access) == (
        "POST",
        PATH,
        201,
        Role.ORGANIZER,
    )
