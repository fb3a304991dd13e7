"""Migrations run before the code that wants them, under the code that is being replaced: a release only adds.

What the old code needs goes in a later release. Such a file says so in its first line, with the release whose code was
the first to do without: `-- contract: unused since 1.4.0`. It has to be older than the one that is being made, which
pyproject.toml names.
"""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
FILES = sorted([*ROOT.glob("functions/*/migrations/*.sql"), *ROOT.glob("layers/**/migrations/*.sql")])
RELEASE = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
MARK = re.compile(r"^-- contract: unused since (\d+\.\d+\.\d+)$", re.MULTILINE)

# What statements that still run would stumble over. A constraint that goes, or an index, takes nothing from them.
TAKES_AWAY = {
    "drops a table": r"\bDROP\s+TABLE\b",
    "drops a view": r"\bDROP\s+(MATERIALIZED\s+)?VIEW\b",
    "drops a function": r"\bDROP\s+(FUNCTION|PROCEDURE)\b",
    "drops a column": r"\bDROP\s+COLUMN\b",
    "renames": r"\bRENAME\s+(TO|COLUMN|CONSTRAINT)\b|\bRENAME\s+\w+\s+TO\b",
    "changes a type": r"\bALTER\s+(COLUMN\s+)?\w+\s+(SET\s+DATA\s+)?TYPE\b",
    "forbids NULL": r"\bSET\s+NOT\s+NULL\b",
    "takes a default away": r"\bDROP\s+DEFAULT\b",
    "wants a value that the old code does not give": r"\bADD\s+(COLUMN\s+)?(?!CONSTRAINT)\w+\s[^,;]*"
    r"\bNOT\s+NULL\b(?![^,;]*\bDEFAULT\b)",
}


def complaints(sql: str, release: str) -> list[str]:
    """What is wrong with a migration file that is to be in `release`."""
    statements = re.sub(r"--[^\n]*|'(?:[^']|'')*'", " ", sql)
    # Of a function that is written anew, the body is its own matter; a default may stand before NOT NULL.
    statements = re.sub(r"\$(\w*)\$.*?\$\1\$", " ", statements, flags=re.DOTALL)
    statements = re.sub(
        r"\bDEFAULT\s+\S+\s+NOT\s+NULL", "NOT NULL DEFAULT x", statements, flags=re.IGNORECASE
    )
    found = [what for what, shape in TAKES_AWAY.items() if re.search(shape, statements, re.IGNORECASE)]
    mark = MARK.search(sql)
    if not found or (mark and version(mark[1]) < version(release)):
        return []
    why = f"unused since {mark[1]} only, and this is {release}" if mark else "no word of who stopped using it"
    return [f"{what}: {why}" for what in found]


def version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("."))


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parents[1].name}-{file.stem}")
def test_a_migration_takes_nothing_from_the_code_that_still_runs(file: Path) -> None:
    assert complaints(file.read_text(), RELEASE) == []


@pytest.mark.parametrize(
    "sql",
    [
        "DROP TABLE holds;",
        "ALTER TABLE orders DROP COLUMN note, ADD COLUMN memo TEXT;",
        "ALTER TABLE orders RENAME COLUMN note TO memo;",
        "ALTER TABLE orders RENAME note TO memo;",
        "ALTER TABLE orders ALTER COLUMN total TYPE NUMERIC(12, 2);",
        "ALTER TABLE orders ALTER note SET NOT NULL;",
        "ALTER TABLE orders ADD COLUMN note TEXT NOT NULL;",
        "alter table orders add note text not null check (note <> '');",
        "DROP FUNCTION take_stock(uuid, integer);",
    ],
)
def test_what_takes_something_away_is_found_unless_an_earlier_release_did_without(sql: str) -> None:
    assert complaints(sql, "1.5.0")
    assert complaints(f"-- contract: unused since 1.5.0\n{sql}", "1.5.0")
    assert not complaints(f"-- contract: unused since 1.4.2\n{sql}", "1.5.0")


@pytest.mark.parametrize(
    "sql",
    [
        "ALTER TABLE orders ADD COLUMN note TEXT;  -- DROP TABLE would be wrong",
        "ALTER TABLE orders ADD COLUMN runs INTEGER NOT NULL DEFAULT 1;",
        "ALTER TABLE orders ADD COLUMN runs INTEGER DEFAULT 1 NOT NULL;",
        "ALTER TABLE orders DROP CONSTRAINT orders_state_check, ADD CONSTRAINT orders_state_check CHECK (TRUE);",
        "CREATE TABLE orders (id UUID NOT NULL);",
        "CREATE OR REPLACE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN DROP TABLE t; END $$;",
    ],
)
def test_what_only_adds_is_let_through(sql: str) -> None:
    assert complaints(sql, "1.5.0") == []
