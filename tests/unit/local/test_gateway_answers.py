"""The gateway says by itself what API Gateway says."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import web

from local.gateway import MAX_BODY
from local.resources import MockResponse, Route
from tests.gateway import API, serving
from tests.small_cloud import run


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
