"""Templates in their sandbox: what they show, and what they may not do."""

import re

import pytest

from functions.notifications import samples, templates
from functions.notifications.models import Text
from functions.notifications.rendering import DoesNotRender, local_time, render


def text(subject: str = "", html: str = "", plain: str = "") -> Text:
    return Text("a-mail", subject, html, plain)


@pytest.mark.parametrize("name", samples.BUILT_IN)
def test_each_of_our_mails_renders_with_what_it_is_given(name: str) -> None:
    rendered = render(templates.built_in(name), samples.sample(name))

    assert rendered.subject
    assert rendered.html.startswith("<!DOCTYPE html>")
    assert "{" not in rendered.text
    assert "https://www.box-office.example" in rendered.text


@pytest.mark.parametrize("name", samples.BUILT_IN)
def test_each_of_our_mails_says_the_same_in_html_and_text(name: str) -> None:
    rendered = render(templates.built_in(name), samples.sample(name))
    links = re.compile(r"https://[^\s\"<]+")
    html = set(links.findall(rendered.html)) - {"https://www.box-office.example"}

    assert html == set(links.findall(rendered.text)) - {
        "https://www.box-office.example",
        "https://www.box-office.example,",
    }


@pytest.mark.parametrize("name", samples.BUILT_IN)
def test_each_of_our_mails_needs_its_data(name: str) -> None:
    with pytest.raises(DoesNotRender):
        render(templates.built_in(name), {"publicUrl": "", "orderId": None, "firstName": ""})


def test_a_ticket_without_zone_and_holder_is_shown_without_them() -> None:
    data = samples.sample("ticket")
    bare = {"ticketNumber": "T-1", "ticketType": "Stalls", "qrCode": "code"}

    rendered = render(templates.built_in("ticket"), data | {"tickets": [bare]})

    assert "Ticket T-1: Stalls\n" in rendered.text
    assert "None" not in rendered.html


def test_data_is_escaped_in_html_and_left_alone_in_text() -> None:
    rendered = render(text("{{ x }}", "{{ x }}", "{{ x }}"), {"x": "<i>R&B</i>"})

    assert (rendered.subject, rendered.text) == ("<i>R&B</i>", "<i>R&B</i>")
    assert rendered.html == "&lt;i&gt;R&amp;B&lt;/i&gt;"


def test_a_subject_is_one_line_and_not_endless() -> None:
    assert render(text("a\r\nBcc: b\x00\u2028c"), {}).subject == "a Bcc: b c"
    assert len(render(text("{{ 'x' * 1000 }}"), {}).subject) == 255


@pytest.mark.parametrize(
    "attack",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ x.__init__.__globals__ }}",
        "{{ x.append(1) }}",
        "{% include '../settings.py' %}",
        "{% import 'os' as os %}",
        "{{ range(1000000000) | list }}",
        "{{ self.__init__ }}",
    ],
)
def test_a_template_reaches_nothing_but_its_data(attack: str) -> None:
    with pytest.raises(DoesNotRender):
        render(text(plain=attack), {"x": []})


def test_a_qr_code_is_made_once_however_often_it_is_shown() -> None:
    rendered = render(text(html="{{ qr('a', 'T/1') }} {{ qr('a') }} {{ qr('b') }}"), {})
    first, again, other = rendered.html.split()

    assert first == again != other
    assert [picture.file_name for picture in rendered.pictures] == ["T-1.png", "ticket.png"]


def test_an_unknown_variable_is_an_error_unless_told_otherwise() -> None:
    with pytest.raises(DoesNotRender) as error:
        render(text(plain="{{ seat }}"), {})

    assert (error.value.part, error.value.reason) == ("textContent", "'seat' is undefined")
    assert render(text(plain="a{{ seat.row }}"), {}, strict=False).text == "a"


@pytest.mark.parametrize(
    ("zone", "shown"),
    [
        (
            "Europe/Berlin",
            "Sunday, 31 March 2030, 03:30 (Europe/Berlin time)",
        ),  # an hour after the clocks changed
        ("America/New_York", "Saturday, 30 March 2030, 21:30 (America/New_York time)"),
        ("UTC", "Sunday, 31 March 2030, 01:30 (UTC)"),
        ("Mars/Olympus", "Sunday, 31 March 2030, 01:30 (UTC)"),
    ],
)
def test_an_instant_is_shown_as_the_clock_there_shows_it(zone: str, shown: str) -> None:
    assert local_time("2030-03-31T01:30:00.000Z", zone) == shown


def test_a_confirmation_of_an_order_whose_tickets_are_void_says_so() -> None:
    data = samples.sample("order-confirmation") | {"tickets": []}
    rendered = render(templates.built_in("order-confirmation"), data)
    assert rendered.subject.startswith("Your order for")
    for part in (rendered.html, rendered.text):
        assert "not valid any more" in part
        assert "QR" not in part
    assert rendered.pictures == []
