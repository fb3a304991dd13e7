"""Two providers: the second sends what the first surely did not take, and no mail goes out twice."""

import json
import os
import traceback
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from functions.notifications import mails, providers
from functions.notifications.consumers import mail as consumer
from functions.notifications.consumers import ses as ses_events
from functions.notifications.database import database
from functions.notifications.gateways import sendgrid
from functions.notifications.gateways.failures import LeftAlone, MailRefused, NotTaken, PerhapsTaken
from functions.notifications.jobs import resend_mail
from local.valkey import Valkey
from shared import aws
from shared.breaker import CircuitOpen
from shared.cache import Cache
from tests.cloud import Cloud, Extension
from tests.databases import TestDatabase
from tests.integration.notifications.conftest import SENDGRID_SECRET_ARN, BackUp, Post
from tests.integration.notifications.test_mail import a_confirmation, part, row
from tests.integration.notifications.test_ses import ses_that_answers

ID = UUID("0c6a8f80-0000-4000-8000-000000000001")


def hand_over() -> Any:
    return providers.send(
        MAIL_WITH_HTML, id=ID, sender="tickets@box-office.example", recipient="ada@example.com"
    )


@pytest.fixture
def _ses_is_away(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody listens where SES should be."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_SESV2", "http://127.0.0.1:9")
    aws.client.cache_clear()


def test_while_ses_works_sendgrid_is_not_asked(post: Post, back_up: BackUp, ada: UUID) -> None:
    assert post.deliver(consumer.handler, "mail", a_confirmation(ada))

    assert len(post.sent()) == 1
    assert back_up.taken() == []


@pytest.mark.usefixtures("_ses_is_away")
def test_the_same_mail_goes_through_sendgrid_in_the_same_attempt(
    post: Post, back_up: BackUp, notifications_db: TestDatabase, ada: UUID
) -> None:
    assert post.deliver(consumer.handler, "mail", a_confirmation(ada))

    [mail] = back_up.taken()
    sent = row(notifications_db)
    assert (sent["status"], sent["provider"], sent["attempts"]) == ("SENT", "sendgrid", 1)
    assert sent["message_id"]
    assert mail["From"] == "Box Office <tickets@box-office.example>"
    assert mail["To"] == "ada@example.com"
    assert mail["Subject"] == "Your tickets for Rock & Roll (order BO-1)"
    assert mail["Message-ID"] == f"<{sent['id']}@box-office.example>"
    assert mail["X-Notification-Id"] == str(sent["id"])
    assert "Monday, 1 July 2030, 14:30" in part(mail, "plain")
    pictures = [p for p in mail.walk() if p.get_content_type() == "image/png"]
    assert [picture.get_filename() for picture in pictures] == ["T-1.png", "T-2.png"]
    for picture in pictures:
        assert f'src="cid:{picture["Content-ID"].strip("<>")}"' in part(mail, "html")
        assert picture.get_content().startswith(b"\x89PNG")


@pytest.mark.usefixtures("_ses_is_away")
def test_after_three_failures_ses_is_left_alone(post: Post, back_up: BackUp, cache: Valkey) -> None:
    for _ in range(3):
        assert hand_over().provider == "sendgrid"

    assert providers._circuit("ses").is_open()
    assert Cache("test").field("breaker:mail.ses", "open_until") is not None
    assert hand_over().provider == "sendgrid"


@pytest.mark.usefixtures("_ses_is_away")
def test_while_both_are_down_a_mail_waits_and_goes_out_once(
    post: Post, back_up: BackUp, notifications_db: TestDatabase, ada: UUID
) -> None:
    wanted = a_confirmation(ada)
    back_up.fails()
    for _ in range(4):
        assert not post.deliver(consumer.handler, "mail", wanted)
    assert row(notifications_db)["status"] == "PENDING"
    with pytest.raises(LeftAlone, match="left alone") as left_alone:
        hand_over()
    assert 50 < (left_alone.value.retry_after or 0) <= 60, "the queue waits as long as the circuit is open"
    pause = row(notifications_db)["due_at"] - datetime.now(UTC)
    assert pause <= timedelta(seconds=60), "what nobody was asked for is no try"

    back_up.recovers()
    providers.forget_circuits()

    assert post.deliver(consumer.handler, "mail", wanted)
    assert post.deliver(consumer.handler, "mail", wanted)
    assert len(back_up.taken()) == 1


@pytest.mark.usefixtures("_ses_is_away")
def test_what_sendgrid_took_without_an_answer_is_left_to_it_for_a_while(
    post: Post, back_up: BackUp, notifications_db: TestDatabase, ada: UUID
) -> None:
    back_up.fails("kill_after", 1)

    assert post.deliver(consumer.handler, "mail", a_confirmation(ada))

    assert len(back_up.taken()) == 1
    assert row(notifications_db)["status"] == "PENDING"
    assert resend_mail.handler({"olderThanSeconds": 0}, None) == {"handled": 0}


@pytest.mark.usefixtures("_ses_is_away", "post")
def test_sendgrid_that_nobody_configured_is_passed_over() -> None:
    assert providers.chosen() == ["ses"]
    with pytest.raises(NotTaken, match="could not be reached"):
        hand_over()


def test_the_order_is_a_flag(post: Post, back_up: BackUp, extension: Extension) -> None:
    extension.turn("mail_provider_order", ["sendgrid", "ses", "pigeon"])

    assert hand_over().provider == "sendgrid"


class TestAnAnswerThatIsLost:
    """SES may have the mail: it is not given to anybody else, and SES's events may tell."""

    @pytest.fixture(autouse=True)
    def asked(self, post: Post, monkeypatch: pytest.MonkeyPatch) -> list[UUID]:
        """The mails that SES was asked to send."""
        asked: list[UUID] = []

        def lose(_: bytes, *, id: UUID, **__: object) -> str:
            asked.append(id)
            raise PerhapsTaken("The mail service did not answer in time")

        monkeypatch.setitem(providers.PROVIDERS, "ses", providers.Provider(lose, lambda: True))
        return asked

    def test_the_mail_is_left_to_the_job(
        self, post: Post, back_up: BackUp, notifications_db: TestDatabase, ada: UUID
    ) -> None:
        assert post.deliver(consumer.handler, "mail", a_confirmation(ada))

        assert back_up.taken() == []
        assert row(notifications_db)["status"] == "PENDING"
        assert resend_mail.handler({"olderThanSeconds": 0}, None) == {"handled": 0}
        notifications_db.run("UPDATE notifications SET due_at = now(), claimed_until = now()")
        assert resend_mail.handler({}, None) == {"handled": 1}

    def test_a_message_that_comes_twice_does_not_send_what_ses_may_have(
        self, post: Post, notifications_db: TestDatabase, ada: UUID, asked: list[UUID]
    ) -> None:
        wanted = a_confirmation(ada)
        assert post.deliver(consumer.handler, "mail", wanted)

        assert not post.deliver(consumer.handler, "mail", wanted)
        with pytest.raises(mails.BeingSent) as refused:
            mails.deliver(database, wanted, providers.send)

        assert 50 < refused.value.retry_after <= 60, "it comes back when SES has had its minute"
        assert asked == [row(notifications_db)["id"]]

    def test_it_is_left_to_ses_for_a_minute_however_often_that_failed(
        self, post: Post, notifications_db: TestDatabase, ada: UUID, asked: list[UUID]
    ) -> None:
        wanted = a_confirmation(ada)
        for _ in range(3):
            assert post.deliver(consumer.handler, "mail", wanted)
            notifications_db.run(
                "UPDATE notifications SET claimed_until = claimed_until - interval '60 seconds'"
            )

        assert len(asked) == 3, "it does not wait as long as the job's pauses have grown"

    def test_an_event_of_ses_s_tells_that_it_was_taken(
        self, post: Post, aws: Cloud, notifications_db: TestDatabase, ada: UUID
    ) -> None:
        post.deliver(consumer.handler, "mail", a_confirmation(ada))
        id = row(notifications_db)["id"]
        event = {
            "eventType": "Send",
            "mail": {
                "timestamp": "2030-01-01T12:00:00.000Z",
                "messageId": "0100",
                "tags": {"notification": [str(id)]},
            },
            "send": {},
        }

        ses_events.consumer._handle(event)

        sent = row(notifications_db)
        assert (sent["status"], sent["message_id"], sent["data"]) == ("SENT", "0100", None)
        assert [m["data"]["status"] for m in aws.messages("notifications")] == ["SENT"]


@pytest.mark.usefixtures("_ses_is_away")
@pytest.mark.parametrize("is_left_alone", [False, True])
def test_what_the_second_refuses_the_first_may_take_when_it_is_back(
    post: Post,
    extension: Extension,
    notifications_db: TestDatabase,
    ada: UUID,
    monkeypatch: pytest.MonkeyPatch,
    is_left_alone: bool,
) -> None:
    def never(mail: bytes, /, **_: Any) -> str:
        raise MailRefused("The mail service refused this mail")

    def closed(send: Any) -> Any:
        raise CircuitOpen("mail.ses", retry_after=7)

    monkeypatch.setitem(providers.PROVIDERS, "sendgrid", providers.Provider(never, lambda: True))
    if is_left_alone:
        circuit = providers._circuit
        monkeypatch.setattr(providers, "_circuit", lambda name: closed if name == "ses" else circuit(name))
    assert not post.deliver(consumer.handler, "mail", a_confirmation(ada))

    waiting = row(notifications_db)
    assert (waiting["status"], waiting["provider"]) == ("PENDING", None)


def test_what_the_first_refuses_nobody_else_is_asked(
    post: Post, back_up: BackUp, notifications_db: TestDatabase, ada: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(mail: bytes, /, **_: Any) -> str:
        raise MailRefused("The mail service refused this mail")

    monkeypatch.setitem(providers.PROVIDERS, "ses", providers.Provider(never, lambda: True))
    assert post.deliver(consumer.handler, "mail", a_confirmation(ada))
    assert (row(notifications_db)["status"], back_up.taken()) == ("FAILED", [])


def test_the_address_that_ses_names_in_its_refusal_is_not_logged(
    post: Post, ada: UUID, caplog: pytest.LogCaptureFixture
) -> None:
    said = b'{"message": "Email address is not verified: ada@example.com"}'
    with ses_that_answers(400, said, error="MessageRejected"):
        assert not post.deliver(consumer.handler, "mail", a_confirmation(ada))

    assert "The mail service failed (MessageRejected)" in caplog.text
    assert "ada@example.com" not in caplog.text


@pytest.mark.usefixtures("post")
def test_one_mail_that_ses_rejects_shuts_nobody_else_s_out() -> None:
    with ses_that_answers(400, b"{}", error="MessageRejected") as asked:
        for _ in range(4):
            with pytest.raises(NotTaken, match="MessageRejected"):
                hand_over()

    assert len(asked) == 4
    assert not providers._circuit("ses").is_open()


class TestSendGrid:
    """Which failures are final, which pass, and which leave it open."""

    @pytest.fixture
    def answers(self, post: Post) -> Callable[..., Any]:
        """A server in SendGrid's place that answers as it is told."""
        return lambda status, after_seconds=0.0: ses_that_answers(status, b"{}", after_seconds)

    def ask(self) -> str:
        return sendgrid.send(
            MAIL_WITH_HTML, id=ID, sender="tickets@box-office.example", recipient="ada@example.com"
        )

    @pytest.mark.parametrize(
        ("status", "error"),
        [
            (400, MailRefused),
            (413, MailRefused),
            (401, NotTaken),
            (403, NotTaken),
            (429, NotTaken),
            (500, NotTaken),
            (503, NotTaken),
        ],
    )
    def test_its_refusals(
        self, answers: Any, extension: Extension, status: int, error: type[Exception]
    ) -> None:
        with answers(status):
            self._point_at_it(extension)
            with pytest.raises(error) as refused:
                self.ask()
        assert "python_http_client" not in "".join(traceback.format_exception(refused.value)), (
            "its words are for no log"
        )

    def test_an_answer_that_does_not_come_leaves_it_open(
        self, answers: Any, extension: Extension, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sendgrid, "ANSWER_SECONDS", 0.2)
        with answers(202, 1.0):
            self._point_at_it(extension)
            with pytest.raises(PerhapsTaken):
                self.ask()

    def test_nobody_there_is_a_failure_that_passes(self, post: Post, extension: Extension) -> None:
        extension.secrets[SENDGRID_SECRET_ARN] = {"apiKey": "SG.x", "apiBase": "http://127.0.0.1:9"}
        with pytest.raises(NotTaken, match="could not be reached"):
            self.ask()

    def test_what_it_is_told(self, answers: Any, extension: Extension) -> None:
        with answers(202) as requests:
            self._point_at_it(extension)
            self.ask()

        [told] = requests
        assert told["custom_args"] == {"notification_id": str(ID)}
        assert told["personalizations"] == [{"to": [{"email": "ada@example.com"}]}]
        assert [content["type"] for content in told["content"]] == ["text/plain", "text/html"]
        assert told["tracking_settings"] == {
            "click_tracking": {"enable": False, "enable_text": False},
            "open_tracking": {"enable": False},
        }
        assert "bcc" not in json.dumps(told)

    def _point_at_it(self, extension: Extension) -> None:
        extension.secrets[SENDGRID_SECRET_ARN] = {
            "apiKey": "SG.x",
            "apiBase": os.environ["AWS_ENDPOINT_URL"],
        }


MAIL_WITH_HTML = b"""From: Box Office <tickets@box-office.example>\r
To: ada@example.com\r
Subject: Hello\r
Message-ID: <1@box-office.example>\r
X-Notification-Id: 1\r
Auto-Submitted: auto-generated\r
MIME-Version: 1.0\r
Content-Type: multipart/alternative; boundary="b"\r
\r
--b\r
Content-Type: text/plain\r
\r
Hello\r
--b\r
Content-Type: text/html\r
\r
<p>Hello</p>\r
--b--\r
"""
