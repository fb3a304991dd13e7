"""The templates of mails: our own come with the code, admins may write over them and add more."""

import hashlib
from datetime import datetime
from functools import cache

from functions.notifications import repository, samples
from functions.notifications.models import TemplateAnswer, TemplateRequest, Text
from functions.notifications.rendering import LAYOUTS, PARTS, DoesNotRender, render
from shared import paging
from shared.database import Row, Sql
from shared.errors import BadInput, FieldError
from shared.paging import Page


class UnknownTemplate(Exception):
    """There is no template of this name."""


def find(sql: Sql, name: str, at: datetime) -> Row:
    """The template of this name; one of our own is brought up to date with the code first.

    Raises:
        UnknownTemplate: there is none.
    """
    row = repository.template(sql, name)
    if samples.is_built_in(name) and _is_outdated(row, name):
        row = _install(sql, name, at)
    if row is None:
        raise UnknownTemplate(name)
    return row


def page(sql: Sql, limit: int, cursor: str | None, at: datetime) -> Page[TemplateAnswer]:
    """Templates by name, our own brought up to date first."""
    position = paging.decode(cursor, str)
    for name in samples.BUILT_IN:
        find(sql, name, at)
    rows = repository.templates_after(sql, position[0] if position else "", limit + 1)
    shown, next_cursor = paging.cut(rows, limit, lambda row: (row["name"],))
    return Page(items=[_answer(row) for row in shown], next_cursor=next_cursor)


def save(sql: Sql, request: TemplateRequest, at: datetime) -> tuple[TemplateAnswer, bool]:
    """Add a template, or write over the one of that name, once it renders with sample data.

    Returns:
        the template, and whether it is a new one.

    Raises:
        BadInput: naming each part (subject, htmlContent, textContent) that does not render.
    """
    text = Text(request.name, request.subject, request.html_content, request.text_content)
    wrong = _complaints(text)
    if wrong:
        raise BadInput(details=wrong)
    row = repository.save_template(sql, text, built_in_sha256=None, at=at)
    assert row is not None, "an admin's is written over any"
    return _answer(row), row["created"]


def text_of(row: Row) -> Text:
    """A template's row as what is rendered."""
    return Text(
        row["name"],
        row["subject"],
        row["html_content"],
        row["text_content"],
        ours=row["built_in_sha256"] is not None,
    )


def _answer(row: Row) -> TemplateAnswer:
    return TemplateAnswer.model_validate(row | {"built_in": row["built_in_sha256"] is not None})


def _complaints(text: Text) -> list[FieldError]:
    """Each part is tried alone, so that all that is wrong is told at once."""
    parts = {
        "subject": Text(text.name, text.subject, "", ""),
        "htmlContent": Text(text.name, "", text.html, ""),
        "textContent": Text(text.name, "", "", text.text),
    }
    # What one of our own mails is given is known: a variable it does not get is a mistake. Of another template's
    # data nothing is known before it is sent.
    strict = samples.is_built_in(text.name)
    wrong = []
    for part in PARTS:
        try:
            render(parts[part], samples.sample(text.name), strict=strict)
        except DoesNotRender as error:
            wrong.append(FieldError(part, error.reason))
    return wrong


def _is_outdated(row: Row | None, name: str) -> bool:
    """Not there yet, or the text of an older version of the code; what an admin wrote is never outdated."""
    if row is None:
        return True
    return row["built_in_sha256"] is not None and row["built_in_sha256"] != _digest(built_in(name))


def _install(sql: Sql, name: str, at: datetime) -> Row | None:
    """Bring one of our own up to date; one that an admin has saved at this moment stays."""
    text = built_in(name)
    saved = repository.save_template(sql, text, built_in_sha256=_digest(text), at=at)
    return saved or repository.template(sql, name)


@cache
def built_in(name: str) -> Text:
    """One of our own templates: `<name>.html`, and `<name>.txt` whose first line is the subject."""
    first, _, text = (LAYOUTS / f"{name}.txt").read_text().partition("\n")
    return Text(
        name, first.removeprefix("Subject: "), (LAYOUTS / f"{name}.html").read_text(), text, ours=True
    )


@cache
def _digest(text: Text) -> str:
    return hashlib.sha256("\0".join((text.subject, text.html, text.text)).encode()).hexdigest()
