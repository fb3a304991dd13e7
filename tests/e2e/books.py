"""The books of a laptop cloud that is at rest: what its auditor says of them, and its databases for tests that ask."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg2
import psycopg2.extras

from tests.e2e.laptop import Laptop
from tests.e2e.operators import invoke

Row = dict[str, Any]
AUDITOR = "platform-job-audit"
ARRIVE_SECONDS = 30
# What a crash left behind is taken up by a sweep: its lease has to run out, and then the next minute to come.
SWEPT_SECONDS = 100


def audit(laptop: Laptop, **given: float) -> dict[str, Any]:
    """The auditor's report; nothing counts as being under way, unless `atRestSeconds` says otherwise."""
    error, report = invoke(laptop, AUDITOR, {"atRestSeconds": 0, "windowDays": 36_500} | given)
    assert error is None, report
    return dict(report)


def assert_balanced(laptop: Laptop) -> None:
    """No breach of any invariant, once what is on its way has arrived, and what a sweep takes up has been taken up."""
    began = time.monotonic()
    while True:
        report = audit(laptop)
        findings = report["findings"]
        if not findings and report["checked"]["complete"]:
            return
        left_behind = all(finding["invariant"] == "limits" for finding in findings)
        if time.monotonic() - began > (SWEPT_SECONDS if left_behind else ARRIVE_SECONDS):
            break
        time.sleep(0.5)
    assert findings == [], findings
    assert report["checked"]["complete"], report


@contextmanager
def database(laptop: Laptop, service: str) -> Iterator[Any]:
    """Statements in the database of a service, as its superuser."""
    ports = json.loads((laptop.state / "ports.json").read_text())
    connection = psycopg2.connect(host="127.0.0.1", port=ports["postgres"], dbname=service, user="postgres")

    def ask(statement: str) -> list[Row]:
        with connection.cursor(cursor_factory=psycopg2.extras.RealDictCursor) as cursor:
            cursor.execute(statement)
            connection.commit()
            return [dict(row) for row in cursor.fetchall()] if cursor.description else []

    try:
        yield ask
    finally:
        connection.close()
