"""Requests that nobody's client sends: each is told what is wrong with it, and none makes us stumble."""

import json
from typing import Annotated, Any

import pytest
from pydantic import Field, ValidationError

from shared.api import Api
from shared.database import Database
from shared.errors import BadInput
from shared.identity import User
from shared.requests import MAX_DEPTH, MAX_DETAILS, parse_json
from shared.wire import Answer, Body, Money, lines, one_line, person_name
from tests.support import Reply, a_user, call


class Order(Body):
    quantity: Annotated[int, Field(strict=True, ge=1, le=100)]


class Priced(Body):
    price: Money


class Taken(Answer):
    quantity: int


@pytest.fixture
def api() -> Api:
    api = Api("tickets")

    @api.post("/api/orders")
    def take(request: Order, q: Annotated[str, Field(max_length=50)] = "") -> Taken:
        return Taken(quantity=request.quantity)

    return api


# Of Hangul, of Braille, a note that is none, variations of nothing.
BLANKS = [
    "\u3164",
    "\u115f\u1160",
    "\uffa0 \u3164",
    "\u2800",
    "\u034f\u200b",
    "\ufe0f",
    "\U000e0100",
    "\U0001d159",
    "\u180b",
    "\u17b4",
]


def post(api: Api, raw_body: str, **options: Any) -> Reply:
    return call(api.handler, "POST", "/api/orders", raw_body=raw_body, **options)


@pytest.mark.parametrize("number", ["1" + "0" * 400, "-1" + "0" * 400, "1e400", "1" + "0" * 5000])
def test_a_number_beyond_all_bounds_is_a_400(api: Api, number: str) -> None:
    reply = post(api, f'{{"quantity": {number}}}')

    assert (reply.status, reply.code) == (400, "VALIDATION_ERROR")


@pytest.mark.parametrize("number", ["1e400", "-1e400", "1" + "0" * 400 + ".0"])
def test_a_number_that_only_an_infinity_could_stand_for_is_named(number: str) -> None:
    with pytest.raises(BadInput) as refused:
        parse_json(f'{{"data": {{"n": [1.5, {number}]}}}}')
    [detail] = refused.value.details
    assert (detail.field, detail.message) == ("data.n[1]", "This number is out of range")


@pytest.mark.parametrize("price", ["-0.00", "-1", "1e2", "NaN", "٤.00", "1_000", "0x1", "1.999", "+1", ""])
def test_an_amount_is_digits_and_a_point(price: str) -> None:
    with pytest.raises(ValidationError):
        Priced.model_validate({"price": price})


@pytest.mark.parametrize("price", ["0", 0, 0.0, -0.0, "0.00"])
def test_nothing_has_no_sign(price: object) -> None:
    assert Priced.model_validate({"price": price}).model_dump(mode="json") == {"price": "0.00"}


def test_of_very_many_complaints_an_answer_holds_the_first_ones(api: Api) -> None:
    reply = post(api, json.dumps({"x" * 1000 + str(number): 1 for number in range(1000)}))

    assert reply.status == 400
    assert len(reply.body["error"]["details"]) == MAX_DETAILS
    assert len(json.dumps(reply.body)) < 100_000


@pytest.mark.parametrize("type", ["APPLICATION/JSON", "application/json;charset=utf-8", "Application/Json "])
def test_the_case_of_a_media_type_means_nothing(api: Api, type: str) -> None:
    assert post(api, '{"quantity": 1}', headers={"Content-Type": type}).status == 200


@pytest.mark.parametrize("type", ["application/jsonp", "application/json-patch+json", "text/json", "\xff"])
def test_a_media_type_that_only_begins_like_ours_is_refused(api: Api, type: str) -> None:
    assert post(api, '{"quantity": 1}', headers={"Content-Type": type}).fields == {"Content-Type"}


def test_a_card_number_in_the_query_is_refused(api: Api) -> None:
    reply = post(api, '{"quantity": 1}', query={"q": "4242 4242 4242 4242"})

    assert reply.fields == {"q"}
    assert "4242" not in json.dumps(reply.body)


def test_a_cache_is_told_that_answers_differ_by_origin_even_where_none_is_named(api: Api) -> None:
    ours = {"Origin": "http://localhost:5173"}

    assert post(api, '{"quantity": 1}').headers["Vary"] == "Origin"
    assert post(api, '{"quantity": 1}', headers=ours).headers["Vary"] == "Origin"


@pytest.mark.parametrize("key", ["", "x" * 256, "\udcff\udcfe", "schlüssel", "two\nlines", "nul\x00"])
def test_an_idempotency_key_is_a_short_printable_text(key: str) -> None:
    reply = idempotent(key)

    assert (reply.status, reply.fields) == (400, {"Idempotency-Key"})


def test_an_idempotency_key_is_no_card_number() -> None:
    reply = idempotent("4111 1111 1111 1111")

    assert (reply.status, reply.fields) == (400, {"Idempotency-Key"})
    assert "4111" not in str(reply.body)


def idempotent(key: str) -> Reply:
    api = Api("tickets", Database("tickets"))

    @api.post("/api/orders", idempotent="required")
    def take(request: Order, user: User) -> Taken:
        return Taken(quantity=request.quantity)

    headers = {"Idempotency-Key": key}
    return call(api.handler, "POST", "/api/orders", body={"quantity": 1}, user=a_user(), headers=headers)


@pytest.mark.parametrize(
    "name", ["a\nb", "a\u2028b", "a\u202eb", "\u2066a", "\u200b", "\ufeff \u2060", "\ue000", *BLANKS]
)
def test_a_name_is_one_visible_line_that_turns_nothing_around(name: str) -> None:
    with pytest.raises(ValueError, match=r"May not contain|something to see"):
        one_line(name)


@pytest.mark.parametrize("text", ["a\x00b", "\x01", "a\x1bb", "\x7f", "\x9f"])
def test_a_text_of_lines_has_no_other_controls(text: str) -> None:
    with pytest.raises(ValueError, match="May not contain"):
        lines(text)
    assert lines("a\r\n\tb") == "a\r\n\tb"


@pytest.mark.parametrize(
    "name",
    [
        "مرحبا",
        "שלום 7",
        "👩\u200d🎤 live",
        "Ünïcode",
        "zero\u200bwidth",
        "a\u200fb",
        "❤️",
        "\u1112\u1160\u11ab",
    ],
)
def test_names_of_every_script_pass(name: str) -> None:
    assert one_line(name) == name


@pytest.mark.parametrize(
    "name",
    [
        *(
            "https://evil.example/win",
            "evil.example",
            "Win at www.evil",
            "Ada evil.example now",
            "ada@example.com",
        ),
        *(
            "<b>Ada</b>",
            "{{ 7 * 7 }}",
            "${7}",
            "=1+1",
            "+1",
            "-1",
            "@SUM(A1)",
            "a\\b",
            "[Ada](x)",
            "a\nb",
            "\u202ea",
        ),
    ],
)
def test_a_name_is_no_message_no_link_and_no_formula(name: str) -> None:
    with pytest.raises(ValueError, match=r"A name holds no|May not contain"):
        person_name(name)


@pytest.mark.parametrize(
    "name",
    [
        *(
            "Ada",
            "Jean-Luc",
            "O'Brien",
            "d’Artagnan",
            "Dr. Eva",
            "Dr.Eva",
            "J.R.R.",
            "J. R.",
            "Ludwig van",
            "St. John",
        ),
        *(
            "Ørjan",
            "李",
            "مريم",
            "Ада",
            "Nguyễn Văn",
            "Anna (Annie)",
            "Smith & Sons, Inc.",
            "Martin Luther King, Jr.",
        ),
    ],
)
def test_people_s_names_pass(name: str) -> None:
    assert person_name(name) == name


@pytest.mark.parametrize("text", ["a\x00b", "\ud800", "\udfff and more"])
@pytest.mark.parametrize("place", ["value", "key", "query"])
def test_text_that_cannot_be_stored_is_refused_wherever_it_stands(api: Api, text: str, place: str) -> None:
    if place == "query":
        reply = post(api, '{"quantity": 1}', query={"q": text})
    else:
        reply = post(api, json.dumps({"note": text} if place == "value" else {text: 1}))
    [detail] = reply.body["error"]["details"]
    assert (reply.status, detail["message"]) == (400, "Contains characters that cannot be stored")


@pytest.mark.parametrize(("open", "close"), [("[", "]"), ('{"a":', "}")])
def test_a_body_has_a_depth(open: str, close: str) -> None:
    def nested(depth: int) -> str:
        return open * depth + "1" + close * depth

    parse_json(nested(MAX_DEPTH))
    with pytest.raises(BadInput) as refused:
        parse_json(nested(MAX_DEPTH + 1))
    assert [detail.message for detail in refused.value.details] == ["Nested too deeply"]
