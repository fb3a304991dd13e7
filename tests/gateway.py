"""A gateway before functions that echo, answer as they are told, guard and are slow."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from local.gateway import Gateway
from local.lambdas import LambdaHost
from local.ports import free_port
from local.resources import Api, Authorizer, GatewayResponse, MockResponse, Route
from tests.small_cloud import function, hosted

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
