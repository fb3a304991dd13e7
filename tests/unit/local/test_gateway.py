"""The gateway sends functions what API Gateway sends, and hands on what they answer."""

import base64
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from tests.gateway import API, serving
from tests.small_cloud import run


def test_a_function_gets_the_proxy_event(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with serving(tmp_path) as (client, _):
            headers = {"X-Two": "one", "User-Agent": "test", "X-Forwarded-For": "192.0.2.1"}
            async with client.get("/api/events/a%20b?q=1&q=2&r=%C3%A9", headers=headers) as answer:
                event = await answer.json()
                id_ = answer.headers["x-amzn-RequestId"]
        assert event["resource"] == "/api/events/{id}"
        assert event["path"] == "/api/events/a%20b"
        assert event["httpMethod"] == "GET"
        assert event["pathParameters"] == {"id": "a%20b"}
        assert event["queryStringParameters"] == {"q": "2", "r": "é"}
        assert event["multiValueQueryStringParameters"] == {"q": ["1", "2"], "r": ["é"]}
        assert event["headers"]["X-Two"] == "one"
        assert (
            event["headers"]["X-Forwarded-For"] == "192.0.2.1, 127.0.0.1, 127.0.0.1"
        )  # said, caller, CloudFront
        assert event["multiValueHeaders"]["X-Two"] == ["one"]
        assert (event["body"], event["isBase64Encoded"], event["stageVariables"]) == (None, False, None)
        context = event["requestContext"]
        assert context["requestId"] == id_
        assert (context["stage"], context["apiId"], context["path"]) == (
            "dev",
            "abc",
            "/dev/api/events/a%20b",
        )
        assert context["resourcePath"] == "/api/events/{id}"
        assert context["identity"]["sourceIp"] == "127.0.0.1"
        assert context["identity"]["userAgent"] == "test"
        assert isinstance(context["requestTimeEpoch"], int)

    run(scenario())


def test_a_long_url_and_a_long_header_reach_the_function(tmp_path: Path) -> None:
    async def scenario() -> None:
        long = "a" * 20_000
        async with (
            serving(tmp_path) as (client, _),
            client.get(f"/api/events/{long}", headers={"X-Long": long}) as answer,
        ):
            event = await answer.json()
        assert event["pathParameters"] == {"id": long}
        assert event["headers"]["X-Long"] == long

    run(scenario())


def test_a_body_is_passed_on_as_it_came_compressed_or_not(tmp_path: Path) -> None:
    async def scenario() -> None:
        api = replace(API, binary_media_types=("*/*",))
        headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
        async with (
            serving(tmp_path, api) as (client, _),
            client.post("/api/events", data=b"\x1f\x8b junk", headers=headers) as answer,
        ):
            event = await answer.json()
        assert base64.b64decode(event["body"]) == b"\x1f\x8b junk"

    run(scenario())


def test_no_query_and_no_path_parameters_are_null(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with serving(tmp_path) as (client, _), client.get("/api/events/") as answer:
            event = await answer.json()
        for name in ("queryStringParameters", "multiValueQueryStringParameters", "pathParameters"):
            assert event[name] is None

    run(scenario())


@pytest.mark.parametrize(("binary", "encoded"), [((), False), (("image/png",), False), (("*/*",), True)])
def test_a_binary_body_is_base64(tmp_path: Path, binary: Sequence[str], encoded: bool) -> None:
    async def scenario() -> None:
        api = replace(API, binary_media_types=binary)
        async with (
            serving(tmp_path, api) as (client, _),
            client.post("/api/events", data=b'{"a":1}') as answer,
        ):
            event = await answer.json()
        assert event["isBase64Encoded"] is encoded
        assert (base64.b64decode(event["body"]) if encoded else event["body"].encode()) == b'{"a":1}'

    run(scenario())


@pytest.mark.parametrize(
    ("binary", "accept", "expected"),
    [
        (("*/*",), "text/html", b"\x89PNG"),
        (("image/png",), "image/png, */*", b"\x89PNG"),
        (("image/png",), "*/*", base64.b64encode(b"\x89PNG")),
        ((), "image/png", base64.b64encode(b"\x89PNG")),
    ],
)
def test_a_picture_is_decoded_for_callers_whose_first_type_is_binary(
    tmp_path: Path, binary: Sequence[str], accept: str, expected: bytes
) -> None:
    code = f"""
        def handler(event, context):
            return {{"statusCode": 200, "headers": {{"Content-Type": "image/png"}}, "isBase64Encoded": True,
                    "body": {base64.b64encode(b"%sPNG" % bytes([0x89])).decode()!r}}}
    """

    async def scenario() -> None:
        api = replace(API, binary_media_types=binary)
        asked = {"Accept": accept}
        async with (
            serving(tmp_path, api, echo=code) as (client, _),
            client.get("/api/events", headers=asked) as answer,
        ):
            assert answer.headers["Content-Type"] == "image/png"
            assert await answer.read() == expected

    run(scenario())


def test_headers_of_both_kinds_are_merged(tmp_path: Path) -> None:
    payload = {
        "statusCode": "201",
        "headers": {"X-One": 1, "X-Both": "lost"},
        "multiValueHeaders": {"X-Both": ["a", "b"], "Set-Cookie": ["c=1", "d=2"]},
        "body": "text",
    }

    async def scenario() -> None:
        async with serving(tmp_path) as (client, _), client.post("/answer", json=payload) as answer:
            assert answer.status == 201
            assert answer.headers["X-One"] == "1"
            assert answer.headers.getall("X-Both") == ["a", "b"]
            assert answer.headers.getall("Set-Cookie") == ["c=1", "d=2"]
            assert answer.headers["Content-Type"] == "application/json"

    run(scenario())


@pytest.mark.parametrize(
    "payload",
    [
        "text",
        {},
        {"statusCode": "many"},
        {"statusCode": 200, "body": {"not": "text"}},
        {"statusCode": 200, "extra": 1},
        {"statusCode": 200, "headers": {"X": ["list"]}},
        {"statusCode": 200, "headers": {"X": "two\nlines"}},
        {"statusCode": 200, "multiValueHeaders": {"X": "text"}},
    ],
)
def test_a_malformed_answer_is_502(tmp_path: Path, payload: object) -> None:
    async def scenario() -> None:
        async with serving(tmp_path) as (client, _), client.post("/answer", json=payload) as answer:
            assert answer.status == 502
            assert (await answer.json())["code"] == "DEFAULT_5XX"

    run(scenario())


@pytest.mark.parametrize(
    ("token", "status", "kind"),
    [
        (None, 401, "UNAUTHORIZED"),
        ("nobody", 401, "UNAUTHORIZED"),
        ("denied", 403, "ACCESS_DENIED"),
        ("broken", 500, "AUTHORIZER_FAILURE"),
        ("nonsense", 500, "AUTHORIZER_CONFIGURATION_ERROR"),
    ],
)
def test_a_refusal_of_the_authorizer_keeps_the_call_out(
    tmp_path: Path, token: str | None, status: int, kind: str
) -> None:
    async def scenario() -> None:
        headers = {"Authorization": token} if token else {}
        async with (
            serving(tmp_path) as (client, _),
            client.get("/api/events/mine", headers=headers) as answer,
        ):
            assert answer.status == status
            assert answer.headers["x-amzn-ErrorType"] == kind

    run(scenario())


def test_the_authorizers_context_reaches_the_function_as_text(tmp_path: Path) -> None:
    async def scenario() -> None:
        headers = {"Authorization": "me"}
        async with (
            serving(tmp_path) as (client, _),
            client.get("/api/events/mine", headers=headers) as answer,
        ):
            authorizer = (await answer.json())["requestContext"]["authorizer"]
        assert (authorizer["principalId"], authorizer["userId"], authorizer["ok"]) == ("me", "7", "true")

    run(scenario())
