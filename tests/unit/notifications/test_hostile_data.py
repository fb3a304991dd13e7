"""What people type never becomes markup in a mail, whichever variable carries it, and a name is no message."""

from html.parser import HTMLParser
from typing import Any

import pytest

from functions.notifications import samples, templates
from functions.notifications.recipients import greeting
from functions.notifications.rendering import render

PROBES = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "' onmouseover='alert(1)",
    '" style="background:url(//evil.example)',
    "</style></title></textarea><iframe src=//evil.example>",
    "javascript:alert(1)",
    "{{ 7 * 7 }}{% for x in range(9) %}x{% endfor %}",
    "<!--<a href=//evil.example>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "\u202e<b>\x00\u2028</b>",
    "<a href='data:text/html,x'>",
    "]]><x:y xmlns:x='evil'/>",
)

# Not people's words: what we make ourselves, and would not be read otherwise.
OURS = ("publicUrl", "eventDate", "payBy", "tickets", "fully", "ticketCount", "until")


class Skeleton(HTMLParser):
    """The tags of a page, with their attributes and links: all that is not text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, tuple[str, ...]]] = []
        self.links: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, tuple(name for name, _ in attrs)))
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]

    def handle_comment(self, data: str) -> None:
        self.tags.append(("comment", (data,)))


def variables(name: str) -> list[tuple[str, ...]]:
    """Each variable of a mail that may hold somebody's words, by its path."""
    data = samples.sample(name)
    paths: list[tuple[str, ...]] = [(key,) for key in data if key not in OURS]
    return paths + [("tickets", key) for ticket in data.get("tickets", [])[:1] for key in ticket]


def with_probe(name: str, path: tuple[str, ...], probe: str) -> dict[str, Any]:
    data = samples.sample(name)
    if path[0] == "tickets":
        return data | {"tickets": [ticket | {path[1]: probe} for ticket in data["tickets"]]}
    return data | {path[0]: probe}


@pytest.mark.parametrize(
    ("name", "path"), [(name, path) for name in samples.BUILT_IN for path in variables(name)]
)
def test_no_variable_of_our_mails_becomes_markup(name: str, path: tuple[str, ...]) -> None:
    template = templates.built_in(name)
    honest = Skeleton(render(template, with_probe(name, path, "x")).html)

    for probe in PROBES:
        rendered = render(template, with_probe(name, path, probe))
        page = Skeleton(rendered.html)
        assert page.tags == honest.tags
        assert all(link.startswith(("https://www.box-office.example", "cid:")) for link in page.links)
        assert "\n" not in rendered.subject
        assert "49" not in rendered.text.replace("49.50", "")


@pytest.mark.parametrize("name", samples.BUILT_IN)
def test_each_of_our_mails_has_html_and_text(name: str) -> None:
    rendered = render(templates.built_in(name), samples.sample(name))

    assert rendered.html.strip()
    assert rendered.text.strip()
    assert "<" not in rendered.text


@pytest.mark.parametrize(
    "name", ["Ada", "Jean-Luc", "Anna María", "O'Brien", "Ludwig van", "Ørjan", "李", "Dr. Eva", "J. R."]
)
def test_a_name_is_said(name: str) -> None:
    assert greeting(name) == name


@pytest.mark.parametrize(
    "text",
    [
        "",
        "https://evil.example",
        "evil.example",
        "www evil example/win",
        "You won, go to evil",
        "Ada\nBuy now",
        "You have won a lot of money",
        "Call 0800 123456",
        "<b>Ada</b>",
        "ada@example.com",
        "A" * 41,
    ],
)
def test_what_is_more_than_a_name_is_not(text: str) -> None:
    assert greeting(text) == ""
