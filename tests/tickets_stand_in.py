"""The tickets service as payments asks it: a stand-in that answers what a test gives it."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


class TicketsStandIn:
    """The tickets service's two routes that payments asks.

    `GET /api/tickets/orders/{userId}?orderId=` answers with the orders it is given, and
    `GET /api/tickets/types?eventId=` for the events that are the caller's own.
    """

    def __init__(self) -> None:
        self.orders: list[dict[str, Any]] = []
        self.own_events: set[str] = set()
        self.status = 200
        self.asked = 0
        stand_in = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                stand_in.asked += 1
                query = parse_qs(urlsplit(self.path).query)
                found = [order for order in stand_in.orders if [order["orderId"]] == query.get("orderId")]
                body = json.dumps({"items": found, "nextCursor": None}).encode()
                is_hidden = "eventId" in query and query["eventId"][0] not in stand_in.own_events
                self.send_response(404 if is_hidden else stand_in.status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Keep the tests' output clean."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
