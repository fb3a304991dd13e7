"""A mail's bytes: both parts, pictures inside, headers that nobody else can write."""

from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from uuid import UUID

import pytest

from functions.notifications import mime
from functions.notifications.models import Picture, Rendered

ID = UUID("7a0c8b7e-3a52-4c65-9d0e-6f1f2a7c9b11")
WHEN = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)
SENDER = mime.address("Box Office <tickets@box-office.example>")
ADA = mime.address("ada@example.com")


def parsed(subject: str = "Hello", *, pictures: list[Picture] | None = None) -> EmailMessage:
    rendered = Rendered(subject, "<p>Grüße</p>", "Grüße", pictures or [])
    raw = mime.compose(ID, rendered, sender=SENDER, recipient=ADA, date=WHEN)
    raw.decode("ascii")
    mail = message_from_bytes(raw, policy=default)
    assert isinstance(mail, EmailMessage)
    return mail


def test_text_and_html_stand_side_by_side() -> None:
    mail = parsed()

    assert mail.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]
    assert [part.get_content().strip() for part in mail.iter_parts()] == ["Grüße", "<p>Grüße</p>"]


def test_a_picture_is_inside_the_html_under_its_content_id() -> None:
    mail = parsed(pictures=[Picture("abc@qr", "T-1.png", b"\x89PNG")])
    _, related = mail.iter_parts()
    html, picture = related.iter_parts()

    assert related.get_content_type() == "multipart/related"
    assert html.get_content_type() == "text/html"
    assert (picture["Content-ID"], picture.get_filename()) == ("<abc@qr>", "T-1.png")
    assert picture.get_content_disposition() == "inline"
    assert picture.get_content() == b"\x89PNG"


def test_the_same_mail_has_the_same_message_id_and_date() -> None:
    assert parsed()["Message-ID"] == parsed()["Message-ID"] == f"<{ID}@box-office.example>"
    assert parsed()["Date"].datetime == WHEN


def test_a_subject_of_any_script_comes_through() -> None:
    assert parsed("Zoë’s 音楽 night 🎟")["Subject"] == "Zoë’s 音楽 night 🎟"


@pytest.mark.parametrize("text", ["a\nBcc: eve@example.com", "a\r\n\r\nbody"])
def test_a_line_break_in_a_subject_is_refused_rather_than_sent(text: str) -> None:
    with pytest.raises(ValueError, match="linefeed"):
        parsed(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ada",
        "ada@",
        "@example.com",
        "ada@example.com\nBcc: eve@example.com",
        "ada@example.com, eve@example.com",
        "ädä@example.com",
        "ada@exa mple.com",
        "Ada <ada@example.com>, eve@example.com",
        "Ada\n<ada@example.com>",
        "Ada\x00 <ada@example.com>",
        "<eve@example.com> <ada@example.com>",
        "ada@..",
    ],
)
def test_what_is_not_one_address_is_refused(text: str) -> None:
    with pytest.raises(mime.BadAddress):
        mime.address(text)


def test_a_sender_may_have_a_name() -> None:
    assert (SENDER.display_name, SENDER.addr_spec) == ("Box Office", "tickets@box-office.example")


def test_a_domain_of_any_script_is_written_as_dns_knows_it() -> None:
    assert mime.address("ada@bücher.example").addr_spec == "ada@xn--bcher-kva.example"
