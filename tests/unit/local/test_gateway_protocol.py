"""What is no HTTP is answered in the shape of every other error, and nothing of it is repeated."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.gateway import serving
from tests.small_cloud import run

HOST = b"Host: localhost\r\n"
GET, POST = b"GET /api/events HTTP/1.1\r\n" + HOST, b"POST /api/events HTTP/1.1\r\n" + HOST
NO_HTTP = {
    "an unknown method": b"FROB /api/events HTTP/1.1\r\n" + HOST + b"\r\n",
    "a method in small letters": b"get /api/events HTTP/1.1\r\n" + HOST + b"\r\n",
    "a path without a slash": b"GET api/events HTTP/1.1\r\n" + HOST + b"\r\n",
    "an overlong header": GET + b"X: " + b"secret" * 12_000 + b"\r\n\r\n",
    "an overlong URL": b"GET /api/events?q=" + b"secret" * 12_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n",
    "a chunk of no length": POST + b"Transfer-Encoding: chunked\r\n\r\nsecret\r\n{}\r\n0\r\n\r\n",
    "two lengths": POST + b"Content-Length: 4\r\nContent-Length: 5\r\n\r\n{}{}{",
    "a length and chunks": POST + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a length below nothing": POST + b"Content-Length: -4\r\n\r\n",
    "a length beyond all bounds": POST + b"Content-Length: 99999999999999999999999\r\n\r\n",
    "a blank after a header's name": GET + b"X : secret\r\n\r\n",
    "a NUL in a header": GET + b"Authorization: secret\x00b\r\n\r\n",
    "a bare CR in a header": GET + b"X: secret\rSet-Cookie: x\r\n\r\n",
    "a NUL in the path": b"GET /api/events/\x00 HTTP/1.1\r\n" + HOST + b"\r\n",
    "no host": b"GET /api/events HTTP/1.1\r\n\r\n",
    "another version": b"GET /api/events HTTP/9.9\r\n" + HOST + b"\r\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 50,
    "garbage": b"\x00\xff\r\n\r\n",
}
NO_ROUTE = {
    "CONNECT": b"CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n",
    "CONNECT to a path": b"CONNECT /api/events HTTP/1.1\r\n" + HOST + b"\r\n",
    "OPTIONS of everything": b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n",
    "TRACE": b"TRACE /api/events HTTP/1.1\r\n" + HOST + b"\r\n",
    "another host's path": b"GET //evil.example/api/events HTTP/1.1\r\n" + HOST + b"\r\n",
}
SERVED = {
    "a port that is no number": b"GET /api/events HTTP/1.1\r\nHost: x:port\r\n\r\n",
    "half an address": b"GET /api/events HTTP/1.1\r\nHost: [::1\r\n\r\n",
    "an expectation": POST + b"Content-Length: 2\r\nExpect: 200-maybe\r\n\r\n{}",
    "another protocol": GET + b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
}


async def answer(port: int, raw: bytes) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of the answer to these bytes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(raw)
    head = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 20)).decode()
    lines = head.split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines[1:] if line)
    body = await reader.readexactly(int(headers["content-length"]))
    writer.close()
    return int(lines[0].split(" ")[1]), headers, body


@asynccontextmanager
async def gateway(state: Path) -> AsyncIterator[int]:
    """A gateway, by its port."""
    async with serving(state) as (client, _), client.get("/api/events") as first:
        assert first.url.port is not None
        yield first.url.port


def test_what_is_no_http_is_a_400_that_repeats_nothing(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with gateway(tmp_path) as port:
            for name, raw in NO_HTTP.items():
                status, headers, body = await answer(port, raw)
                kind = headers["content-type"].split(";")[0]
                assert (status, kind) == (400, "application/json"), name
                assert json.loads(body)["code"] == "DEFAULT_4XX", name
                assert headers["x-request-id"] == json.loads(body)["id"], name
                assert b"secret" not in body, name

    run(scenario())


def test_what_no_route_knows_is_a_404(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with gateway(tmp_path) as port:
            for name, raw in NO_ROUTE.items():
                status, _, body = await answer(port, raw)
                assert (status, json.loads(body)["code"]) == (404, "MISSING_AUTHENTICATION_TOKEN"), name

    run(scenario())


def test_what_is_odd_and_no_more_is_served(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with gateway(tmp_path) as port:
            for name, raw in SERVED.items():
                assert (await answer(port, raw))[0] == 200, name

    run(scenario())


def test_who_waits_for_it_is_told_to_send_the_body(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with gateway(tmp_path) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(POST + b"Content-Length: 2\r\nExpect: 100-continue\r\n\r\n")
            told = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 20)
            assert told == b"HTTP/1.1 100 Continue\r\n\r\n"
            writer.write(b"{}")
            assert (await asyncio.wait_for(reader.readline(), 20)).split()[1] == b"200"
            writer.close()

    run(scenario())
