"""A template may want all there is: it gets its share, and the process that renders goes on."""

import pytest

from functions.notifications import bounded
from functions.notifications.models import Text
from functions.notifications.rendering import DoesNotRender, render

BOMBS = (
    "{{ 'a' * 10**10 }}",
    "{{ [0] * 10**10 }}",
    "{{ 10 ** (10 ** 9) }}",
    "{{ 'a'.ljust(10000000000) }}",
    "{{ '%10000000000d' % 1 }}",
    "{{ '{:10000000000}'.format(1) }}",
    "{{ 'a' | center(10000000000) }}",
    "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
    "{% for a in range(99999) %}{% for b in range(9999) %}aaaaaaaaaa{% endfor %}{% endfor %}",
    "{% macro m() %}{{ m() }}{{ m() }}{% endmacro %}{{ m() }}",
    "{{ lipsum(n=100000) }}",
    "{% set ns = namespace(x='aa') %}{% for a in range(99) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}",
)


@pytest.mark.parametrize(
    ("part", "bomb"),
    [("subject", BOMBS[0]), ("textContent", BOMBS[0]), *(("htmlContent", bomb) for bomb in BOMBS)],
)
def test_a_template_that_wants_too_much_does_not_render(part: str, bomb: str) -> None:
    parts = {"subject": "", "htmlContent": "", "textContent": ""} | {part: bomb}

    with pytest.raises(DoesNotRender) as refused:
        render(Text("a-mail", parts["subject"], parts["htmlContent"], parts["textContent"]), {})

    assert refused.value.part == part


def test_what_is_made_elsewhere_is_what_is_made_here() -> None:
    source = ("Tickets for {{ who }}", '<img src="{{ qr("code", "T-1") }}">{{ who }}', "For {{ who }}")
    data = {"who": "Ada & Bob"}

    assert render(Text("a-mail", *source), data) == render(Text("a-mail", *source, ours=True), data)


def test_an_answer_has_a_longest_length() -> None:
    with pytest.raises(bounded.TooMuch):
        bounded.run(lambda: b"a" * (bounded.MAX_BYTES + 1))


def test_work_that_wants_much_memory_and_little_time_is_refused() -> None:
    with pytest.raises(bounded.TooMuch):
        bounded.run(lambda: bytes(bytearray(2 * bounded.MEMORY_BYTES)[:1]))


def test_work_that_fails_harms_nobody() -> None:
    def fail() -> bytes:
        raise KeyboardInterrupt

    with pytest.raises(bounded.TooMuch):
        bounded.run(fail)
    assert bounded.run(lambda: b"") == b""


def test_a_mail_has_a_hundred_pictures_at_most() -> None:
    def mail(pictures: int) -> Text:
        return Text(
            "a-mail",
            "",
            f"{{% for n in range({pictures}) %}}{{{{ qr(n|string) }}}}{{% endfor %}}",
            "",
            ours=True,
        )

    assert len(render(mail(100), {}).pictures) == 100
    with pytest.raises(DoesNotRender, match="More than 100 QR codes"):
        render(mail(101), {})
