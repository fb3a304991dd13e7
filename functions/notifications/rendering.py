"""Templates filled in: Jinja2 in a sandbox, HTML escaped by itself, QR codes as pictures."""

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cache, lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import ChainableUndefined, FileSystemLoader, StrictUndefined, Template, Undefined, nodes
from jinja2.exceptions import SecurityError, TemplateNotFound, TemplateSyntaxError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from functions.notifications import bounded
from functions.notifications.models import Picture, Rendered, Text

LAYOUTS = Path(__file__).parent / "templates"
MAX_SUBJECT = 255
MAX_PICTURES = 100

# The parts of a template as the wire names them.
PARTS = ("subject", "htmlContent", "textContent")


class DoesNotRender(Exception):
    """A part of a template is wrong, or needs data that it does not get.

    Attributes:
        part: one of PARTS.
        reason: what is wrong, for whoever wrote it.
    """

    def __init__(self, part: str, reason: str) -> None:
        super().__init__(f"{part}: {reason}")
        self.part, self.reason = part, reason


def render(text: Text, data: Mapping[str, Any], *, strict: bool = True) -> Rendered:
    """Fill in a template; an admin's, which may want all memory and time there is, in a process of its own.

    Args:
        data: what its variables stand for. The HTML part can also call `qr(text, name)`, which gives the address of a
            picture of that QR code.
        strict: whether a variable without a value is an error; otherwise it is empty.

    Raises:
        DoesNotRender: for the first part that cannot be rendered.
    """
    if text.ours:
        return _render(text, data, strict=strict)
    try:
        told = json.loads(bounded.run(lambda: _told(text, data, strict=strict)))
    except bounded.TooMuch as much:
        raise DoesNotRender(_costly(text), "It takes too much memory or time") from much
    if "part" in told:
        raise DoesNotRender(told["part"], told["reason"])
    pictures = [Picture(id, name, base64.b64decode(png)) for id, name, png in told["pictures"]]
    return Rendered(told["subject"], told["html"], told["text"], pictures)


def _told(text: Text, data: Mapping[str, Any], *, strict: bool) -> bytes:
    """What came of it, as one process tells another."""
    try:
        made = _render(text, data, strict=strict)
    except DoesNotRender as wrong:
        return json.dumps({"part": wrong.part, "reason": wrong.reason}).encode()
    pictures = [(p.content_id, p.file_name, base64.b64encode(p.png).decode()) for p in made.pictures]
    told = {"subject": made.subject, "html": made.html, "text": made.text, "pictures": pictures}
    return json.dumps(told).encode()


def _costly(text: Text) -> str:
    """The part that is to blame, as far as one can tell: the one that is there, or the longest."""
    lengths = dict(zip(PARTS, (len(text.subject), len(text.html), len(text.text)), strict=True))
    return max(lengths, key=lambda part: lengths[part])


def _render(text: Text, data: Mapping[str, Any], *, strict: bool) -> Rendered:
    pictures: dict[str, Picture] = {}

    def qr(content: str, name: str = "ticket") -> str:
        picture = _picture(str(content), str(name), len(pictures) + 1)
        return f"cid:{pictures.setdefault(content, picture).content_id}"

    return Rendered(
        subject=_one_line(_part("subject", text.subject, data, strict=strict)),
        html=_part("htmlContent", text.html, {**data, "qr": qr}, strict=strict),
        text=_part("textContent", text.text, data, strict=strict),
        pictures=list(pictures.values()),
    )


def _part(part: str, source: str, data: Mapping[str, Any], *, strict: bool) -> str:
    try:
        return _compiled(source, html=part == "htmlContent", strict=strict).render(data)
    except TemplateSyntaxError as wrong:
        raise DoesNotRender(part, f"Line {wrong.lineno}: {wrong.message}") from wrong
    except TemplateNotFound as missing:
        raise DoesNotRender(part, f"There is no layout {missing.name!r}") from missing
    except MemoryError as much:
        raise DoesNotRender(part, "It takes too much memory or time") from much
    except Exception as wrong:  # a template is a program: it can fail in any way that Python can
        raise DoesNotRender(part, str(wrong) or type(wrong).__name__) from wrong


@lru_cache(maxsize=64)
def _compiled(source: str, *, html: bool, strict: bool) -> Template:
    environment = _environment(html=html, undefined=StrictUndefined if strict else ChainableUndefined)
    for name in _attributes(environment.parse(source)):
        if name.startswith("__") and name.endswith("__"):
            raise SecurityError(f"{name!r} is not for templates")
    return environment.from_string(source)


def _attributes(parsed: nodes.Template) -> Iterator[str]:
    """The attributes that a template names: of what it is not given yet, the sandbox alone would not complain."""
    for node in parsed.find_all((nodes.Getattr, nodes.Getitem, nodes.Const)):
        if isinstance(node, nodes.Getattr):
            yield node.attr
        elif isinstance(node, nodes.Const) and isinstance(node.value, str):
            yield node.value  # of x["…"] and x|attr("…")


class _Sandbox(ImmutableSandboxedEnvironment):
    def unsafe_undefined(self, obj: Any, attribute: str) -> Undefined:
        """Python's insides are an error at once, also where a variable without a value is none."""
        raise SecurityError(f"{attribute!r} of {type(obj).__name__!r} is not for templates")


@cache
def _environment(*, html: bool, undefined: type[Undefined]) -> ImmutableSandboxedEnvironment:
    environment = _Sandbox(
        loader=FileSystemLoader(LAYOUTS),
        autoescape=html,
        undefined=undefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"local_time": local_time, "money": money}
    return environment


def local_time(instant: str, time_zone: str = "UTC") -> str:
    """An ISO 8601 instant as people at that place read it: `Saturday, 12 December 2026, 19:30 (Europe/Berlin time)`."""
    try:
        zone = ZoneInfo(time_zone)
    except (ValueError, OSError, KeyError):  # not a zone that this machine knows
        zone = ZoneInfo("UTC")
    name = "UTC" if zone.key == "UTC" else f"{zone.key} time"
    there = datetime.fromisoformat(instant).astimezone(zone)
    return f"{there:%A}, {there.day} {there:%B %Y, %H:%M} ({name})"


def money(amount: Any, currency: str) -> str:
    """An amount with its currency: `USD 99.00`."""
    return f"{currency} {amount}"


def _picture(content: str, name: str, number: int) -> Picture:
    if number > MAX_PICTURES:
        raise ValueError(f"More than {MAX_PICTURES} QR codes")
    from shared import qr  # its libraries are loaded by the few mails that hold tickets

    # The same ticket has the same content id in every mail; it need be unique in its own mail only (RFC 2392).
    content_id = f"{hashlib.sha256(content.encode()).hexdigest()[:24]}@qr.box-office"
    file_name = "".join(c if c.isalnum() or c in "-_" else "-" for c in name)[:60]
    return Picture(content_id, f"{file_name}.png", qr.png(content))


def _one_line(subject: str) -> str:
    """A subject is one line, whatever the data holds: no line break can start another header."""
    printable = "".join(character if character.isprintable() else " " for character in subject)
    return " ".join(printable.split())[:MAX_SUBJECT]
