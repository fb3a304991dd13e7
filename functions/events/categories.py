"""Categories: what events are found under."""

from typing import Any

from functions.events import repository
from functions.events.models import Category, CategoryRequest
from shared import paging
from shared.database import Refused, Sql
from shared.errors import BadInput, Conflict, FieldError
from shared.paging import Page


class CategoryExists(Conflict):
    """409: there is a category of this name, in whatever case."""

    code = "CATEGORY_EXISTS"
    message = "There is a category of this name already"

    def __init__(self) -> None:
        super().__init__(details=[FieldError("name", self.message)])


def page(sql: Sql, limit: int, cursor: str | None) -> Page[Category]:
    """A page of the categories, by name."""
    after = paging.decode(cursor, str)
    found = repository.categories(sql, after=after[0] if after else None, limit=limit + 1)
    items, next_cursor = paging.cut(found, limit, lambda category: (category.name,))
    return Page[Category](items=items, next_cursor=next_cursor)


def add(sql: Sql, request: CategoryRequest) -> Category:
    """A new category.

    Raises:
        CategoryExists: a unique index says so.
    """
    try:
        return repository.add_category(sql, request.name, request.description)
    except Refused as refused:
        if refused.is_duplicate:
            raise CategoryExists() from refused
        raise


def spelled(sql: Sql, name: str | None) -> str | None:
    """The category's name as it is spelled.

    Raises:
        BadInput: there is no such category.
    """
    if name is None:
        return None
    known = repository.category_name(sql, name)
    if known is None:
        raise BadInput.field("category", "There is no such category; see GET /api/events/categories")
    return known


def complaints(sql: Sql, body: dict[str, Any]) -> list[FieldError]:
    """What is wrong with the category that a body names, for an answer that names other fields as well."""
    name = body.get("category")
    try:
        spelled(sql, name.strip() if isinstance(name, str) else None)
    except BadInput as unknown:
        return unknown.details
    return []
