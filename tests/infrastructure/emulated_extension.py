"""The AWS Parameters and Secrets Lambda extension in front of an emulator that has none: the same two paths."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from botocore.exceptions import ClientError

Client = Callable[[str], Any]


@contextmanager
def extension_of(client: Client) -> Iterator[int]:
    """Answer from the account that `client` makes clients of; the port."""
    secrets, parameters = client("secretsmanager"), client("ssm")

    def answer(path: str) -> dict[str, Any]:
        url = urlsplit(path)
        asked = {name: values[0] for name, values in parse_qs(url.query).items()}
        if url.path == "/secretsmanager/get":
            return {"SecretString": secrets.get_secret_value(SecretId=asked["secretId"])["SecretString"]}
        return {"Parameter": {"Value": parameters.get_parameter(Name=asked["name"])["Parameter"]["Value"]}}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            try:
                status, found = 200, answer(self.path)
            except ClientError as refused:
                status, found = 400, {"message": str(refused)}
            body = json.dumps(found).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Keep the tests' output clean."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
