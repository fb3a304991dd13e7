"""Business metrics: what happened is counted once it is certain, and what the canary does is not."""

import json
from typing import Any
from uuid import uuid4

import pytest

from shared import business
from shared.business import CANARY_EVENT
from shared.database import Database


def counted(capsys: pytest.CaptureFixture[str]) -> list[tuple[str, Any]]:
    """Name and number of each metric that was written."""
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith('{"_aws"')]
    names = [line["_aws"]["CloudWatchMetrics"][0]["Metrics"][0]["Name"] for line in lines]
    return [(name, line[name]) for name, line in zip(names, lines, strict=True)]


def test_what_is_committed_is_counted(database: Database, capsys: pytest.CaptureFixture[str]) -> None:
    with database.transaction() as sql:
        business.count(sql, "tickets", "TicketsIssued", uuid4(), 2)
        assert counted(capsys) == [], "it may not come true"
    assert counted(capsys) == [("TicketsIssued", [2])]


def test_what_is_rolled_back_did_not_happen(database: Database, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ZeroDivisionError), database.transaction() as sql:
        business.count(sql, "payments", "OrdersPaid", uuid4())
        raise ZeroDivisionError
    assert counted(capsys) == []


def test_what_the_canary_does_is_no_business(
    database: Database, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    canary = uuid4()
    monkeypatch.setattr(CANARY_EVENT, "default", str(canary))
    monkeypatch.delenv("SETTINGS_PREFIX", raising=False)
    with database.transaction() as sql:
        for event_id in (canary, uuid4()):
            business.count(sql, "payments", "OrdersPaid", event_id)
    assert counted(capsys) == [("OrdersPaid", [1])]
