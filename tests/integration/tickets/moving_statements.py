"""Which statements of the tickets service move what availability shows: read in its code, and in its database."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.databases import TestDatabase

REPOSITORY = Path("functions/tickets/repository")


def moving_functions(db: TestDatabase) -> set[str]:
    """The database's functions that write what availability shows, themselves or through another of them."""
    statement = """
        SELECT proname, string_agg(prosrc, ' ') AS bodies FROM pg_proc WHERE prosrc <> '' GROUP BY proname
    """  # those of one name are taken as one
    bodies = {row["proname"]: row["bodies"] for row in db.all(statement)}
    found: set[str] = set()
    while more := {name for name, body in bodies.items() if moves(body, found)} - found:
        found |= more
    return found


def moving_statements(functions: set[str]) -> set[str]:
    """`module.function` of the repository's functions whose statement moves what availability shows."""
    return {
        f"{file.stem}.{function.name}"
        for file in REPOSITORY.glob("*.py")
        for function in ast.walk(ast.parse(file.read_text()))
        if isinstance(function, ast.FunctionDef) and any(moves(text, functions) for text in texts(function))
    }


def texts(function: ast.FunctionDef) -> Iterator[str]:
    for node in ast.walk(function):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def moves(sql: str, functions: set[str]) -> bool:
    calls = "|".join(
        [
            r"(INSERT INTO|UPDATE|DELETE FROM)\s+(ticket_types|event_copies)\b",
            *(rf"\b{f}\(" for f in functions),
        ]
    )
    return re.search(calls, sql) is not None
