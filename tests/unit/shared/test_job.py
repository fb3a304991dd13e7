"""A job says what it took: in its answer, its log, and a metric by its name."""

import json
from typing import Any

import pytest

from shared.job import job
from tests.support import context


def counted(text: str) -> list[tuple[str, str, Any]]:
    """Service, job and number of each `JobHandled` among what was printed."""
    lines = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    return [(line["service"], line["job"], line["JobHandled"]) for line in lines if "JobHandled" in line]


def test_what_a_job_took_is_counted_under_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    def run(_event: dict[str, Any]) -> int:
        return 3

    assert job("tickets", run)({}, context()) == {"handled": 3}
    assert job("tickets", run, "expire_holds")({}, context()) == {"handled": 3}
    assert counted(capsys.readouterr().out) == [
        ("tickets", "test_job", [3.0]),
        ("tickets", "expire_holds", [3.0]),
    ]


def test_a_job_that_found_nothing_counts_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert job("tickets", lambda _event: 0)({}, context()) == {"handled": 0}
    assert counted(capsys.readouterr().out) == []
