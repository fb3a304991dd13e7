"""Mails as the console and the tests read them."""

import json
from email.message import EmailMessage
from pathlib import Path

import pytest

from local.console.mails import Mails


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two mails, as the AWS emulation writes them."""
    for number, (address, subject) in enumerate(
        [("ann@example.com", "First"), ("Bob@example.com", "Second")]
    ):
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = "tickets@example.com", address, subject
        message.set_content("Hello in text, Grüße")
        message.add_alternative('<p>Hello</p><img src="cid:qr">', subtype="html")
        html = message.get_body(("html",))
        assert html is not None
        html.add_related(b"picture", "image", "png", cid="<qr>")
        message.add_attachment(b"picture", "image", "png", filename="ticket-1.png")
        name = f"2026112{number}T100000.000000Z-id{number}"
        (tmp_path / f"{name}.eml").write_bytes(message.as_bytes())
        envelope = {"id": f"id{number}", "sentAt": f"2026-11-2{number}T10:00:00.000Z", "to": [address]}
        (tmp_path / f"{name}.json").write_text(json.dumps(envelope))
    return tmp_path


def test_the_newest_mail_comes_first(folder: Path) -> None:
    assert [mail.json()["subject"] for mail in Mails(folder).to(None, 10)] == ["Second", "First"]
    assert [mail.json()["subject"] for mail in Mails(folder).to(None, 1)] == ["Second"]


def test_an_address_is_compared_without_regard_to_case(folder: Path) -> None:
    (mail,) = Mails(folder).to("bob@EXAMPLE.com", 10)
    assert mail.json() == {
        "id": "id1",
        "to": "Bob@example.com",
        "from": "tickets@example.com",
        "subject": "Second",
        "text": "Hello in text, Grüße\n",
        "html": '<p>Hello</p><img src="cid:qr">\n',
        "sentAt": "2026-11-21T10:00:00.000Z",
        "provider": "ses",
        "attachments": ["ticket-1.png"],
    }


def test_pictures_that_a_mail_carries_are_shown_in_it(folder: Path) -> None:
    mail = Mails(folder).one("id0")
    assert mail is not None
    assert '<img src="data:image/png;base64,cGljdHVyZQ==">' in mail.page()


def test_there_may_be_no_such_mail_and_no_mails_at_all(folder: Path) -> None:
    assert Mails(folder).one("id9") is None
    assert Mails(folder / "absent").to(None, 10) == []
