"""Faults around a commit and around publishing, in a function that stands on our own layer and a real PostgreSQL."""

import json
import os
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from local.faults import Fault
from local.lambdas import LambdaHost
from tests.cloud import Cloud
from tests.databases import TestDatabase
from tests.small_cloud import function, hosted, run

LAYER = Path(__file__).resolve().parents[3] / "layers/shared/python"
WRITER = """
    from uuid import uuid4
    from shared import outbox
    from shared.database import Database
    database = Database("tickets")
    def handler(event, context):
        with database.transaction() as sql:
            sql.one("SELECT count(*) FROM inbox")
        with database.transaction() as sql:
            sql.run("INSERT INTO inbox VALUES ('c', gen_random_uuid(), now())")
            outbox._insert(sql, uuid4(), "topic", "a.b.v1", uuid4(), 1, {}, sensitive=False)
        with database.reading() as sql:
            return sql.one("SELECT count(*) AS rows FROM inbox")
"""

Scenario = Callable[[LambdaHost], Coroutine[Any, Any, None]]
Writing = Callable[[Scenario], None]


@pytest.fixture
def writing(tmp_path: Path, tickets_db: TestDatabase, aws: Cloud) -> Writing:
    """Runs a scenario against a function that writes a row and a message."""
    environment = {**tickets_db.environment, "TOPIC_ARN": aws.topic("tickets"), "STAGE": "dev"}
    writer = function(tmp_path, "writer", WRITER, environment=environment, layers=(LAYER,))

    def start(scenario: Scenario) -> None:
        async def whole() -> None:
            async with hosted(tmp_path, [writer], aws_url=os.environ["AWS_ENDPOINT_URL"]) as host:
                await scenario(host)

        run(whole())

    return start


# What is left of it: rows committed, messages marked as published, messages at the broker.
LEFT = [
    ("before_commit", (0, 0, 0)),
    ("after_commit", (1, 0, 0)),
    ("before_publish", (1, 0, 0)),
    ("after_publish", (1, 0, 1)),
    ("before_answer", (1, 1, 1)),
]


@pytest.mark.parametrize(("point", "left"), LEFT)
def test_what_a_killed_process_leaves_is_what_it_had_done(
    writing: Writing, tickets_db: TestDatabase, aws: Cloud, point: str, left: tuple[int, int, int]
) -> None:
    async def scenario(host: LambdaHost) -> None:
        host.faults.add([Fault("writer", "kill", point=point)])
        answer = await host.invoke("writer", b"{}")
        assert json.loads(answer.payload)["errorType"] == "Runtime.ExitError"
        assert host.faults.pending() == []

    writing(scenario)
    assert (*found(tickets_db), len(aws.messages("tickets"))) == left


@pytest.mark.parametrize(
    ("point", "error", "left"),
    [("before_commit", "Unavailable", (0, 0)), ("after_commit", "Unavailable", (1, 0))],
)
def test_an_error_at_a_commit_is_a_connection_that_breaks(
    writing: Writing, tickets_db: TestDatabase, point: str, error: str, left: tuple[int, int]
) -> None:
    async def scenario(host: LambdaHost) -> None:
        host.faults.add([Fault("writer", "error", point=point)])
        assert json.loads((await host.invoke("writer", b"{}")).payload)["errorType"] == error
        assert found(tickets_db) == left
        again = json.loads((await host.invoke("writer", b"{}")).payload)
        assert again == {"rows": left[0] + 1}, "the same process goes on with a new connection"

    writing(scenario)


def test_an_error_at_publishing_is_left_to_the_sweep(
    writing: Writing, tickets_db: TestDatabase, aws: Cloud
) -> None:
    async def scenario(host: LambdaHost) -> None:
        for point in ("before_publish", "after_publish"):
            host.faults.add([Fault("writer", "error", point=point)])
            assert (await host.invoke("writer", b"{}")).error is None

    writing(scenario)
    assert (*found(tickets_db), len(aws.messages("tickets"))) == (2, 0, 1)


def test_a_watched_call_counts_the_transactions_that_wrote(writing: Writing) -> None:
    async def scenario(host: LambdaHost) -> None:
        host.faults.add([Fault("writer", "watch")])
        await host.invoke("writer", b"{}")
        (stroke,) = host.faults.strokes()
        assert stroke.reached == {
            "entry": 1,
            "before_commit": 1,
            "after_commit": 1,
            "before_publish": 1,
            "after_publish": 1,
            "before_answer": 1,
        }

    writing(scenario)


def found(database: TestDatabase) -> tuple[int, int]:
    """The rows committed, and the messages marked as published."""
    rows = database.one(
        "SELECT (SELECT count(*) FROM inbox) AS rows, count(published_at) AS sent FROM outbox"
    )
    assert rows is not None
    return rows["rows"], rows["sent"]
