"""What SES answers, and what that means for a mail."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from uuid import uuid4

import pytest

from functions.notifications.gateways import ses
from shared import aws
from shared.errors import ProviderFailed
from tests.cloud import Cloud

MAIL = b"From: tickets@box-office.example\r\nTo: ada@example.com\r\nSubject: Hello\r\n\r\nHello\r\n"


def send() -> str:
    return ses.send(MAIL, id=uuid4(), sender="tickets@box-office.example", recipient="ada@example.com")


@pytest.fixture
def refusing(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[dict[str, object]]]:
    """An SES that answers every request as to a malformed one, and the requests it got."""
    requests: list[dict[str, object]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            requests.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(400)
            self.send_header("x-amzn-ErrorType", "BadRequestException")
            self.end_headers()
            self.wfile.write(b'{"message": "Malformed"}')

        def log_message(self, format: str, *args: object) -> None:
            """Keep the tests' output clean."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
    aws.client.cache_clear()
    yield requests
    aws.client.cache_clear()
    server.shutdown()
    server.server_close()


def test_a_mail_it_takes_has_its_id(aws: Cloud) -> None:
    aws.accept_mail_from("tickets@box-office.example")

    assert send()
    assert [mail["Subject"] for mail in aws.mails()] == ["Hello"]


@pytest.mark.usefixtures("aws")
def test_a_sender_it_does_not_know_yet_may_be_known_later() -> None:
    with pytest.raises(ProviderFailed, match="MessageRejected"):
        send()


def test_a_mail_that_is_wrong_is_refused_for_good(refusing: list[dict[str, object]]) -> None:
    with pytest.raises(ses.MailRefused):
        send()
    assert len(refusing) == 1


def test_each_mail_is_tagged_with_its_notification(refusing: list[dict[str, object]]) -> None:
    id = uuid4()
    with pytest.raises(ses.MailRefused):
        ses.send(MAIL, id=id, sender="tickets@box-office.example", recipient="ada@example.com")

    assert refusing[0]["EmailTags"] == [{"Name": "notification", "Value": str(id)}]


def test_nobody_there_is_a_failure_that_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    aws.client.cache_clear()
    with pytest.raises(ProviderFailed, match="could not be reached"):
        send()
    aws.client.cache_clear()
