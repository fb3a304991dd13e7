"""The gateway sends functions what API Gateway sends, and says by itself what API Gateway says."""

import asyncio
import base64
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from local.gateway import MAX_BODY, Gateway
from local.lambdas import LambdaHost
from local.ports import free_port
from local.resources import Api, Authorizer, GatewayResponse, MockResponse, Route
from local.routing import Routes
from tests.small_cloud import function, hosted, run

ECHO = """
    import json
    def handler(event, context):
        return {"statusCode": 200, "body": json.dumps(event)}
"""
ANSWER = """
    import json
    def handler(event, context):
        return json.loads(event["body"])
"""
GUARD = """
    def handler(event, context):
        token = event["headers"]["Authorization"]
        if token == "nobody":
            raise Exception("Unauthorized")
        if token == "broken":
            raise ValueError("broken")
        if token == "nonsense":
            return {"user": 1}
        effect = "Deny" if token == "denied" else "Allow"
        statement = {"Action": "execute-api:Invoke", "Effect": effect, "Resource": "arn:aws:execute-api:*/dev/*"}
        context = {"userId": 7, "ok": True}
        return {"principalId": token, "policyDocument": {"Statement": [statement]}, "context": context}
"""
TEMPLATE = '{"code": "%s", "id": "$context.requestId", "said": $context.error.messageString}'
PREFLIGHT = MockResponse(204, {"Access-Control-Max-Age": "'600'", "X-Id": "context.requestId"})
API = Api(
    id="abc",
    name="api",
    stage="dev",
    routes=[
        Route("GET", "/api/events", "echo"),
        Route("POST", "/api/events", "echo"),
        Route("GET", "/api/events/{id}", "echo"),
        Route("GET", "/api/events/mine", "echo", authorized=True),
        Route("POST", "/answer", "answer"),
        Route("GET", "/slow", "slow", timeout=0.2),
        Route("GET", "/missing", "missing"),
        Route(
            "OPTIONS",
            "/api/events",
            mock=MockResponse(204, {"Access-Control-Max-Age": "'600'", "X-Id": "context.requestId"}),
        ),
    ],
    authorizer=Authorizer("guard", ["Authorization"]),
    responses={
        kind: GatewayResponse(
            kind,
            status,
            {"X-Request-Id": "context.requestId", "CSP": "'a \\'none\\''"},
            {"application/json": TEMPLATE % kind},
        )
        for kind, status in [
            ("DEFAULT_4XX", None),
            ("DEFAULT_5XX", None),
            ("MISSING_AUTHENTICATION_TOKEN", 404),
            ("THROTTLED", 429),
        ]
    },
)


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


def test_the_gateways_own_answers_are_those_of_the_template(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with serving(tmp_path) as (client, _), client.get("/nowhere") as answer:
            body = await answer.json()
            assert answer.status == 404
            assert (body["code"], body["said"]) == (
                "MISSING_AUTHENTICATION_TOKEN",
                "Missing Authentication Token",
            )
            assert body["id"] == answer.headers["X-Request-Id"] == answer.headers["x-amzn-RequestId"]
            assert answer.headers["CSP"] == "a 'none'"

    run(scenario())


def test_without_a_template_an_answer_is_awss_own(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with (
            serving(tmp_path, replace(API, responses={})) as (client, _),
            client.get("/nowhere") as answer,
        ):
            assert (answer.status, await answer.json()) == (403, {"message": "Missing Authentication Token"})

    run(scenario())


@pytest.mark.parametrize(("path", "status"), [("/slow", 504), ("/missing", 502), ("/api/events/x/y", 404)])
def test_what_cannot_be_served_has_its_status(tmp_path: Path, path: str, status: int) -> None:
    async def scenario() -> None:
        async with serving(tmp_path) as (client, _), client.get(path) as answer:
            assert answer.status == status

    run(scenario())


def test_a_body_past_ten_megabytes_is_refused(tmp_path: Path) -> None:
    async def scenario() -> None:
        body = b"x" * (MAX_BODY + 1)
        async with serving(tmp_path) as (client, _), client.post("/api/events", data=body) as answer:
            assert (answer.status, answer.headers["x-amzn-ErrorType"]) == (413, "REQUEST_TOO_LARGE")

    run(scenario())


def test_beyond_the_cap_of_processes_a_caller_gets_429(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with serving(tmp_path, max_processes=1, queue_seconds=0.1) as (client, host):
            busy = asyncio.create_task(host.invoke("slow", b"{}"))
            await asyncio.sleep(0.2)
            async with client.get("/api/events") as answer:
                assert (answer.status, (await answer.json())["code"]) == (429, "THROTTLED")
            await busy

    run(scenario())


def test_a_preflight_is_answered_without_a_function(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with serving(tmp_path) as (client, host), client.options("/api/events") as answer:
            assert (answer.status, answer.headers["Access-Control-Max-Age"]) == (204, "600")
            assert answer.headers["X-Id"] == answer.headers["x-amzn-RequestId"]
            assert host.processes == 0

    run(scenario())


@pytest.mark.parametrize(
    ("origin", "named"),
    [
        ("https://a.example", "https://a.example"),
        ("https://b.example", "https://b.example"),
        ("https://c.example", None),
        ("https://a.example.evil.example", None),
        ("", None),
    ],
)
def test_a_preflight_names_the_origin_that_asks_if_it_is_one_of_ours(
    tmp_path: Path, origin: str, named: str | None
) -> None:
    async def scenario() -> None:
        preflight = MockResponse(204, {"Vary": "'Origin'"}, ["https://a.example", "https://b.example"])
        api = replace(API, routes=[Route("OPTIONS", "/api/events", mock=preflight)])
        async with (
            serving(tmp_path, api) as (client, _),
            client.options("/api/events", headers={"Origin": origin} if origin else {}) as answer,
        ):
            assert answer.headers.get("Access-Control-Allow-Origin") == named
            assert answer.headers["Vary"] == "Origin"

    run(scenario())


def test_routes_that_are_added_come_first(tmp_path: Path) -> None:
    async def hello(request: web.Request) -> web.Response:
        return web.Response(text="local")

    async def scenario() -> None:
        def add(app: web.Application) -> None:
            app.router.add_get("/_local/", hello)

        async with serving(tmp_path, extend=add) as (client, _), client.get("/_local/") as answer:
            assert await answer.text() == "local"

    run(scenario())


@pytest.mark.parametrize(
    ("path", "expected", "parameters"),
    [
        ("/a/b", "/a/b", {}),
        ("/a/x", "/a/{id}", {"id": "x"}),
        ("/a/b/d", "/a/{id}/d", {"id": "b"}),
        ("/z/y/x", "/z/{proxy+}", {"proxy": "y/x"}),
        ("/a/b/", "/a/b", {}),
        ("/", "/", {}),
        ("/a", None, {}),
        ("//b", None, {}),
    ],
)
def test_a_literal_part_beats_a_parameter(
    path: str, expected: str | None, parameters: dict[str, str]
) -> None:
    paths = ("/", "/a/b", "/a/{id}", "/a/{id}/d", "/a/b/c", "/z/{proxy+}")
    found = Routes(Route("GET", each, "f") for each in paths).match("GET", path)
    assert (found.route.path if found else None, found.parameters if found else {}) == (expected, parameters)


@asynccontextmanager
async def serving(
    state: Path, api: Api = API, *, echo: str = ECHO, extend: Any = None, **settings: Any
) -> AsyncIterator[tuple[aiohttp.ClientSession, LambdaHost]]:
    slow = "import time\ndef handler(event, context):\n    time.sleep(1)"
    codes = {"echo": echo, "answer": ANSWER, "guard": GUARD, "slow": slow}
    functions = [function(state, name, code) for name, code in codes.items()]
    port = free_port()
    async with hosted(state, functions, **settings) as host:
        gateway = Gateway(api, host, port, extend=extend)
        await gateway.start()
        try:
            async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as client:
                yield client, host
        finally:
            await gateway.stop()
