"""What SES answers, and what that means for a mail."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from uuid import uuid4

import pytest

from functions.notifications.gateways import ses
from functions.notifications.gateways.failures import MailRefused, PerhapsTaken
from shared import aws
from shared.errors import ProviderFailed
from tests.cloud import Cloud

MAIL = b"From: tickets@box-office.example\r\nTo: ada@example.com\r\nSubject: Hello\r\n\r\nHello\r\n"


def send() -> str:
    return ses.send(MAIL, id=uuid4(), sender="tickets@box-office.example", recipient="ada@example.com")


Requests = list[dict[str, object]]


@contextmanager
def ses_that_answers(
    status: int, body: bytes, after_seconds: float = 0, error: str = "BadRequestException"
) -> Iterator[Requests]:
    """An SES that answers every request in this way, and the requests it got."""
    requests: Requests = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            requests.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            time.sleep(after_seconds)
            self.send_response(status)
            if status == 400:
                self.send_header("x-amzn-ErrorType", error)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Keep the tests' output clean."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
        aws.client.cache_clear()
        yield requests
    aws.client.cache_clear()
    server.shutdown()
    server.server_close()


@pytest.fixture
def refusing() -> Iterator[Requests]:
    """An SES that answers every request as to a malformed one, and the requests it got."""
    with ses_that_answers(400, b'{"message": "Malformed"}') as requests:
        yield requests


def test_a_mail_it_takes_has_its_id(aws: Cloud) -> None:
    aws.accept_mail_from("tickets@box-office.example")

    assert send()
    assert [mail["Subject"] for mail in aws.mails()] == ["Hello"]


@pytest.mark.usefixtures("aws")
def test_a_sender_it_does_not_know_yet_may_be_known_later() -> None:
    with pytest.raises(ProviderFailed, match="MessageRejected"):
        send()


def test_a_mail_that_is_wrong_is_refused_for_good(refusing: Requests) -> None:
    with pytest.raises(MailRefused):
        send()
    assert len(refusing) == 1


def test_each_mail_is_tagged_with_its_notification(refusing: Requests) -> None:
    id = uuid4()
    with pytest.raises(MailRefused):
        ses.send(MAIL, id=id, sender="tickets@box-office.example", recipient="ada@example.com")

    assert refusing[0]["EmailTags"] == [{"Name": "notification", "Value": str(id)}]


def test_nobody_there_is_a_failure_that_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    aws.client.cache_clear()
    with pytest.raises(ProviderFailed, match="could not be reached"):
        send()
    aws.client.cache_clear()


def test_a_mail_that_is_taken_slowly_is_sent_once() -> None:
    with ses_that_answers(
        200, b'{"MessageId": "1"}', after_seconds=aws.READ_TIMEOUT_SECONDS + 0.5
    ) as requests:
        assert send() == "1"
    assert len(requests) == 1


def test_a_mail_whose_answer_does_not_come_may_have_been_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ses, "ANSWER_SECONDS", 0.3)
    with (
        ses_that_answers(200, b'{"MessageId": "1"}', after_seconds=1) as requests,
        pytest.raises(PerhapsTaken),
    ):
        send()
    assert len(requests) == 1


def test_a_mail_whose_answer_is_lost_is_left_to_the_queue() -> None:
    with ses_that_answers(500, b"{}") as requests, pytest.raises(ProviderFailed):
        send()
    assert len(requests) == 1
