"""What providers tell of mails is taken down, once and forward only, and addresses that do not work are spared."""

import base64
import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from functions.notifications.consumers import mail as mail_consumer
from functions.notifications.consumers import ses, users
from functions.notifications.jobs import lift_suppression
from functions.notifications.routes import sendgrid_webhook, status
from shared.clock import iso
from shared.contracts import PasswordResetRequested, VerificationRequested
from shared.identity import Role
from tests.cloud import Cloud, Extension
from tests.databases import TestDatabase
from tests.integration.notifications.conftest import SENDGRID_SECRET_ARN, Post
from tests.integration.notifications.test_mail import a_confirmation, row
from tests.support import Reply, a_user, call

KEY = ec.generate_private_key(ec.SECP256R1())
PATH = "/api/notifications/webhooks/sendgrid"


class Told:
    """What a provider tells of the one mail that was sent."""

    def __init__(self, provider: str, aws: Cloud, db: TestDatabase) -> None:
        self.provider, self._aws, self._db = provider, aws, db

    def tell(self, kind: str) -> None:
        id = row(self._db)["id"]
        if self.provider == "ses":
            record = self._aws.record("notifications-ses", {"id": str(uuid4())} | ses_event(kind, id))
            assert ses.handler({"Records": [record]}, None) == {"batchItemFailures": []}
        else:
            assert post_events([sendgrid_event(kind, id)]).status == 200


def ses_event(kind: str, id: UUID | str) -> dict[str, Any]:
    """An event as SES publishes it.

    https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-examples.html
    """
    at = "2030-08-05T16:25:37.000Z"
    mail = {
        "timestamp": at,
        "source": "tickets@box-office.example",
        "messageId": "EXAMPLE7c191be45",
        "destination": ["ada@example.com"],
        "tags": {"ses:configuration-set": ["box-office-dev"], "notification": [str(id)]},
    }
    bounced = [{"emailAddress": "ada@example.com", "action": "failed", "status": "5.1.1"}]
    details: dict[str, tuple[str, dict[str, Any]]] = {
        "delivered": ("Delivery", {"processingTimeMillis": 2, "smtpResponse": "250 2.6.0"}),
        "bounced": ("Bounce", {"bounceType": "Permanent", "bounceSubType": "General"}),
        "soft": ("Bounce", {"bounceType": "Transient", "bounceSubType": "MailboxFull"}),
        "complained": ("Complaint", {"complaintFeedbackType": "abuse"}),
    }
    name, detail = details[kind]
    body = {"timestamp": at, "feedbackId": "1", "bouncedRecipients": bounced} | detail
    return {"eventType": name, "mail": mail, name.lower(): body}


def sendgrid_event(kind: str, id: UUID | str) -> dict[str, Any]:
    """An event as SendGrid posts it.

    https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/event
    """
    details = {
        "delivered": {"event": "delivered", "response": "250 OK"},
        "bounced": {"event": "bounce", "type": "bounce", "status": "5.0.0", "reason": "500 unknown"},
        "soft": {"event": "bounce", "type": "blocked", "reason": "400 try again later"},
        "complained": {"event": "spamreport"},
    }
    return {
        "email": "ada@example.com",
        "timestamp": 1912177537,
        "sg_event_id": "sg-1",
        "sg_message_id": "14c5d75ce93.dfd.64b469",
        "notification_id": str(id),
        **details[kind],
    }


def post_events(events: list[dict[str, Any]], **changes: str) -> Reply:
    """A batch of events, signed as SendGrid does."""
    body = changes.get("signed_body", json.dumps(events))
    timestamp = changes.get("timestamp", str(int(datetime.now(UTC).timestamp())))
    signature = KEY.sign(timestamp.encode() + body.encode(), ec.ECDSA(hashes.SHA256()))
    headers = {
        "X-Twilio-Email-Event-Webhook-Timestamp": timestamp,
        "X-Twilio-Email-Event-Webhook-Signature": changes.get(
            "signature", base64.b64encode(signature).decode()
        ),
    }
    return call(sendgrid_webhook.handler, "POST", PATH, raw_body=changes.get("body", body), headers=headers)


@pytest.fixture(autouse=True)
def _key(post: Post, extension: Extension) -> None:
    public = KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    extension.secrets[SENDGRID_SECRET_ARN]["webhookPublicKey"] = base64.b64encode(public).decode()


@pytest.fixture(params=["ses", "sendgrid"])
def told(
    request: pytest.FixtureRequest, post: Post, aws: Cloud, notifications_db: TestDatabase, ada: UUID
) -> Told:
    """A mail to Ada that went out, and its provider."""
    assert post.deliver(mail_consumer.handler, "mail", a_confirmation(ada))
    return Told(request.param, aws, notifications_db)


def delivery(db: TestDatabase) -> tuple[str, str | None]:
    found = db.one("SELECT delivery_status, error_message FROM notifications ORDER BY created_at LIMIT 1")
    assert found is not None
    return found["delivery_status"], found["error_message"]


def suppressed(db: TestDatabase) -> list[tuple[str, str]]:
    return [
        (found["email"], found["reason"])
        for found in db.all("SELECT email, reason FROM suppressed_addresses")
    ]


def statuses(aws: Cloud) -> list[str]:
    return [message["data"]["deliveryStatus"] for message in aws.messages("notifications")]


def test_a_delivery_is_taken_down_and_told_once(
    told: Told, aws: Cloud, notifications_db: TestDatabase
) -> None:
    told.tell("delivered")
    told.tell("delivered")

    assert delivery(notifications_db) == ("DELIVERED", None)
    assert statuses(aws) == ["SENT", "DELIVERED"]
    asked_at = iso(row(notifications_db)["created_at"])
    assert [message["data"]["askedAt"] for message in aws.messages("notifications")] == [asked_at, asked_at]
    assert suppressed(notifications_db) == []


@pytest.mark.parametrize(("kind", "known"), [("bounced", "BOUNCED"), ("complained", "COMPLAINED")])
def test_nothing_more_is_sent_to_an_address_that_does_not_want_it(
    told: Told, post: Post, aws: Cloud, notifications_db: TestDatabase, ada: UUID, kind: str, known: str
) -> None:
    told.tell(kind)

    assert delivery(notifications_db)[0] == known
    assert suppressed(notifications_db) == [("ada@example.com", known)]
    assert post.deliver(mail_consumer.handler, "mail", a_confirmation(ada))
    assert len(post.sent()) == 1
    [given_up] = notifications_db.all("SELECT * FROM notifications WHERE status = 'FAILED'")
    assert given_up["delivery_status"] == "SUPPRESSED"
    assert "nothing more is sent to it" in given_up["error_message"]
    assert given_up["data"] is None
    last = aws.messages("notifications")[-1]["data"]
    assert (last["status"], last["deliveryStatus"]) == ("FAILED", "SUPPRESSED")


def test_a_mail_that_was_given_up_and_came_all_the_same_was_sent(
    told: Told, notifications_db: TestDatabase
) -> None:
    notifications_db.run(  # after a day without an answer
        """
        UPDATE notifications
           SET status = 'FAILED', error_message = 'No answer', delivery_status = NULL, sent_at = NULL,
               provider = NULL, message_id = NULL
        """
    )
    told.tell("bounced")
    mail = row(notifications_db)
    assert (mail["status"], mail["delivery_status"], mail["provider"]) == ("SENT", "BOUNCED", told.provider)
    assert len(suppressed(notifications_db)) == 1


def test_what_comes_late_leads_nowhere_back(told: Told, notifications_db: TestDatabase) -> None:
    for kind, known in (
        ("soft", "SENT"),
        ("delivered", "DELIVERED"),
        ("soft", "DELIVERED"),
        ("bounced", "BOUNCED"),
        ("delivered", "BOUNCED"),
        ("complained", "COMPLAINED"),
        ("bounced", "COMPLAINED"),
    ):
        told.tell(kind)
        assert delivery(notifications_db)[0] == known


def test_what_may_pass_is_only_noted(told: Told, notifications_db: TestDatabase) -> None:
    told.tell("soft")

    status, note = delivery(notifications_db)
    assert status == "SENT"
    assert note is not None
    assert suppressed(notifications_db) == []

    told.tell("delivered")
    assert delivery(notifications_db) == ("DELIVERED", None)


def test_the_status_of_a_mail_is_told_to_whom_it_went(
    told: Told, notifications_db: TestDatabase, ada: UUID
) -> None:
    told.tell("bounced")
    id = row(notifications_db)["id"]
    path = f"/api/notifications/status/{id}"

    for user in (a_user(id=ada), a_user(Role.ADMIN)):
        reply = call(status.handler, "GET", path, user=user)
        assert reply.status == 200
        assert set(reply.body) == {"id", "status", "deliveryStatus", "sentAt", "errorMessage"}
        assert (reply.body["status"], reply.body["deliveryStatus"]) == ("SENT", "BOUNCED")
        assert reply.body["errorMessage"].startswith("The mail bounced")
        assert reply.body["sentAt"] is not None
    assert call(status.handler, "GET", path, user=a_user()).status == 404


class TestTheWayBack:
    @pytest.fixture(autouse=True)
    def _bounced(self, notifications_db: TestDatabase) -> None:
        notifications_db.run(
            "INSERT INTO suppressed_addresses VALUES ('ada@example.com', 'BOUNCED', NULL, now())"
        )

    def test_a_password_reset_is_not_sent(self, post: Post, notifications_db: TestDatabase) -> None:
        self.ask(post, PasswordResetRequested)

        assert post.sent() == []
        assert row(notifications_db)["delivery_status"] == "SUPPRESSED"

    def test_a_verification_tries_again_after_a_day(self, post: Post, notifications_db: TestDatabase) -> None:
        self.ask(post, VerificationRequested)
        assert post.sent() == []

        notifications_db.run("UPDATE suppressed_addresses SET suppressed_at = now() - interval '25 hours'")
        self.ask(post, VerificationRequested)
        self.ask(post, PasswordResetRequested)

        assert len(post.sent()) == 2

    def test_a_complaint_is_believed_for_ever(self, post: Post, notifications_db: TestDatabase) -> None:
        notifications_db.run(
            "UPDATE suppressed_addresses SET reason = 'COMPLAINED', suppressed_at = now() - interval '1 year'"
        )

        self.ask(post, VerificationRequested)

        assert post.sent() == []

    def test_an_operator_lifts_it(self, post: Post) -> None:
        assert lift_suppression.handler({"email": " ADA@example.com"}, None) == {"handled": 1}
        assert lift_suppression.handler({"email": "ada@example.com"}, None) == {"handled": 0}

        self.ask(post, PasswordResetRequested)

        assert len(post.sent()) == 1

    def ask(self, post: Post, contract: type[PasswordResetRequested | VerificationRequested]) -> None:
        wanted = contract(user_id=uuid4(), email="Ada@Example.com", first_name="Ada", token="t")
        assert post.deliver(users.handler, "notifications-users", wanted)
        assert post.forward(mail_consumer.handler, "mail")


class TestTheWebhook:
    def test_mails_that_are_not_ours_and_news_that_do_not_matter_are_passed_over(self) -> None:
        events = [
            sendgrid_event("delivered", uuid4()),
            sendgrid_event("delivered", "not an id"),
            {"event": "open", "timestamp": 1},
            {"event": "bounce", "timestamp": 1},
        ]
        assert post_events(events).status == 200
        assert post_events([]).status == 200

    @pytest.mark.parametrize(
        "changes",
        [
            {"body": "[ ]"},
            {"signature": ""},
            {"signature": "not base64"},
            {"signature": base64.b64encode(b"wrong").decode()},
            {"timestamp": "soon"},
        ],
    )
    def test_what_sendgrid_did_not_sign_is_refused(self, changes: dict[str, str]) -> None:
        reply = post_events([], **changes)
        assert (reply.status, reply.code) == (400, "INVALID_SIGNATURE")

    @pytest.mark.parametrize("seconds", [-660, 660])
    def test_an_old_signature_and_one_of_tomorrow_are_refused(self, seconds: int) -> None:
        reply = post_events([], timestamp=str(int(datetime.now(UTC).timestamp()) + seconds))
        assert (reply.status, reply.code) == (400, "INVALID_SIGNATURE")

    @pytest.mark.parametrize("body", ["", "{}", "null", "1", '"x"', "not json", "[" * 100_000])
    def test_what_is_signed_but_no_batch_is_refused(self, body: str) -> None:
        reply = post_events([], signed_body=body)
        assert (reply.status, reply.fields) == (400, {"body"})

    @pytest.mark.parametrize(
        "change",
        [
            {"timestamp": None},
            {"timestamp": "soon"},
            {"timestamp": 10**30},
            {"timestamp": float("nan")},
            {"event": ["bounce"]},
            {"event": {}},
            {"notification_id": {"$ne": 1}},
        ],
    )
    def test_what_is_no_event_does_not_keep_the_others_of_its_batch_from_being_heard(
        self, told: Told, notifications_db: TestDatabase, change: dict[str, Any]
    ) -> None:
        id = row(notifications_db)["id"]
        broken = sendgrid_event("complained", id) | change

        assert post_events([broken, 1, None, [], sendgrid_event("delivered", id)]).status == 200  # type: ignore[list-item]
        assert delivery(notifications_db) == ("DELIVERED", None)

    @pytest.mark.parametrize("reason", ["x\x00y", "\ud800", "y" * 5000, "a\r\nb"])
    def test_a_reason_is_kept_as_far_as_it_can_be(
        self, told: Told, notifications_db: TestDatabase, reason: str
    ) -> None:
        event = sendgrid_event("complained", row(notifications_db)["id"])
        odd = {"event": "dropped", "reason": reason, "sg_message_id": reason}

        assert post_events([event | odd]).status == 200
        status, note = delivery(notifications_db)
        assert status == "BOUNCED"
        assert note is not None
        assert note.isprintable()
        assert len(note) < 300

    def test_while_a_key_is_replaced_both_are_good(self, extension: Extension) -> None:
        other = ec.generate_private_key(ec.SECP256R1()).public_key()
        encoded = other.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        secret = extension.secrets[SENDGRID_SECRET_ARN]
        secret["webhookPublicKeyBefore"] = secret["webhookPublicKey"]
        secret["webhookPublicKey"] = base64.b64encode(encoded).decode()
        assert post_events([]).status == 200
        secret["webhookPublicKeyBefore"] = base64.b64encode(encoded).decode()
        assert post_events([]).status == 400

    def test_without_a_key_nothing_is_believed(self, extension: Extension) -> None:
        extension.secrets[SENDGRID_SECRET_ARN]["webhookPublicKey"] = ""
        assert post_events([]).status == 400


def test_ses_s_events_about_other_mails_are_passed_over(aws: Cloud) -> None:
    untagged = ses_event("bounced", uuid4())
    untagged["mail"]["tags"] = {}
    rendering = {"eventType": "Rendering Failure", "mail": {"messageId": "1", "timestamp": ""}}
    for event in (ses_event("bounced", uuid4()), untagged, rendering):
        record = aws.record("notifications-ses", {"id": "1"} | event)
        assert ses.handler({"Records": [record]}, None) == {"batchItemFailures": []}


def test_ses_s_first_word_is_passed_over(aws: Cloud, notifications_db: TestDatabase) -> None:
    """As it comes when the event destination is made, in plain words."""
    word = "Successfully validated SNS topic for Amazon SES event publishing."
    record = aws.record("notifications-ses", {"id": "1"}) | {"body": word}
    assert ses.handler({"Records": [record]}, None) == {"batchItemFailures": []}
