"""API Gateway's REST API on this machine: routes, authorizer, proxy events, CORS preflights, its own errors."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable

from aiohttp import web

from local.authorizing import Refused, authorize
from local.gateway_events import Call, MalformedAnswer, proxy_event, proxy_response
from local.gateway_protocol import listen, on_expect, unrouted
from local.gateway_responses import gateway_response, mock_response
from local.lambdas import LambdaHost, TooManyRequests, UnknownFunction
from local.permissions.gate import Denied
from local.resources import ACCOUNT, REGION, Api, Route
from local.routing import Routes

MAX_BODY = 10 * 1024 * 1024
"""API Gateway's limit on a request's body, in bytes."""


class Gateway:
    """Serves `api` on `port`. `extend` may add routes of its own, which come before those of the API."""

    def __init__(
        self,
        api: Api,
        host: LambdaHost,
        port: int,
        *,
        address: str = "127.0.0.1",
        extend: Callable[[web.Application], None] | None = None,
    ) -> None:
        self._api = api
        self._host = host
        self._port = port
        self._address = address
        self._extend = extend
        self._routes = Routes(api.routes)
        self._runner: web.AppRunner | None = None
        self._listening: asyncio.AbstractServer | None = None

    async def start(self) -> None:
        """Listen. Raises OSError if the port is taken."""
        app = web.Application(client_max_size=MAX_BODY, middlewares=[unrouted(self._refusal)])
        if self._extend is not None:
            self._extend(app)
        every = r"/{path:[\s\S]*}"  # a line break in it, too
        app.router.add_route("*", every, self._serve, expect_handler=on_expect)
        self._runner = web.AppRunner(app, shutdown_timeout=2)
        await self._runner.setup()
        assert self._runner.server is not None
        self._listening = await listen(self._runner.server, self._refusal, self._address, self._port)
        self._host.spawn(self._host.warm())

    async def stop(self) -> None:
        """Stop listening."""
        if self._listening is not None:
            self._listening.close()
        if self._runner is not None:
            await self._runner.cleanup()

    async def _serve(self, request: web.Request) -> web.Response:
        call = Call(self._api, request, b"", self._routes.match(request.method, request.rel_url.raw_path))
        try:
            response = await self._answer(call)
        except Refused as refusal:
            response = gateway_response(call, refusal.kind)
        except TooManyRequests:
            response = gateway_response(call, "THROTTLED")
        except Denied as denied:
            print(f"gateway: {request.method} {call.path}: {denied}", flush=True)
            response = gateway_response(call, "API_CONFIGURATION_ERROR")
        except (MalformedAnswer, UnknownFunction) as error:
            print(f"gateway: {request.method} {call.path}: {error}", flush=True)
            response = gateway_response(call, "DEFAULT_5XX")
        response.headers["x-amzn-RequestId"] = call.id
        return response

    def _refusal(self, request: web.BaseRequest, kind: str) -> web.Response:
        return gateway_response(Call(self._api, request, b"", None), kind)

    def _admit(self, route: Route) -> None:
        """Raise Denied unless the function's policy lets the API's method in."""
        source = f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{self._api.id}/{self._api.stage}/{route.method}{route.path}"
        self._host.admit_service("apigateway.amazonaws.com", source, route.target)

    async def _answer(self, call: Call) -> web.Response:
        route = call.route
        if route is None:
            raise Refused("MISSING_AUTHENTICATION_TOKEN")
        try:
            call.body = await call.request.read()
        except web.HTTPRequestEntityTooLarge:
            raise Refused("REQUEST_TOO_LARGE") from None
        if route.authorized and self._api.authorizer is not None:
            call.authorizer = await authorize(self._host, self._api.authorizer, call)
        if route.mock is not None:
            return mock_response(call, route.mock)
        assert route.function is not None
        self._admit(route)
        payload = json.dumps(proxy_event(call)).encode()
        invocation = asyncio.ensure_future(self._host.invoke(route.function, payload))
        # the function runs on when its caller has stopped waiting, as it does behind API Gateway
        done, _ = await asyncio.wait({invocation}, timeout=route.timeout)
        if not done:
            invocation.add_done_callback(lambda future: future.exception())
            raise Refused("INTEGRATION_TIMEOUT")
        answer = invocation.result()
        if answer.error is not None:
            raise MalformedAnswer(f"{route.function} failed: {answer.payload[:500].decode(errors='replace')}")
        return proxy_response(call, answer.payload)
