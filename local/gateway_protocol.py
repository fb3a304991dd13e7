"""What is no HTTP, or none that routes know, is answered as API Gateway answers: in the shape of every other error."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from aiohttp import hdrs, web

Refusal = Callable[[web.BaseRequest, str], web.StreamResponse]
"""The answer of a kind of `gateway_responses` to a request that never became a call."""

MAX_LINE = 64 * 1024
"""Bytes of a URL or a header: so long that what a function says of them is heard, not what aiohttp says."""
OPTIONS: dict[str, Any] = {
    "access_log": None,
    "auto_decompress": False,  # the bytes that came are the bytes that were signed
    "max_line_size": MAX_LINE,
    "max_field_size": MAX_LINE,
}


class Connection(web.RequestHandler):
    """A connection of which nobody is told in words of aiohttp's, which repeat what was sent."""

    __slots__ = ("_refusal",)

    def __init__(self, server: web.Server, refusal: Refusal, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(server, loop=loop, **OPTIONS)
        self._refusal = refusal

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002  # quotes the request
    ) -> web.StreamResponse:
        """The answer to what could not be read (4xx), and to what we stumbled over."""
        if status >= 500:
            self.log_exception("Error handling request", exc_info=exc)
        response = self._refusal(request, "BAD_REQUEST" if status < 500 else "DEFAULT_5XX")
        response.force_close()
        return response


async def listen(server: web.Server, refusal: Refusal, address: str, port: int) -> asyncio.AbstractServer:
    """Serve on a port. Raises OSError if it is taken."""
    loop = asyncio.get_running_loop()
    return await loop.create_server(lambda: Connection(server, refusal, loop), address, port, backlog=1024)


def unrouted(refusal: Refusal) -> Any:
    """A middleware for paths that no route has, such as those of CONNECT and `OPTIONS *`."""

    @web.middleware
    async def answer(request: web.Request, handler: Any) -> web.StreamResponse:
        if request.match_info.http_exception is not None:
            return refusal(request, "MISSING_AUTHENTICATION_TOKEN")
        response: web.StreamResponse = await handler(request)
        return response

    return answer


async def on_expect(request: web.Request) -> None:
    """Have the body sent; what else somebody may expect is nothing that we know, and no error (RFC 9110, 10.1.1)."""
    if request.headers.get(hdrs.EXPECT, "").lower() == "100-continue":
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0
