"""Schedules fire when EventBridge Scheduler would."""

import asyncio
from datetime import datetime
from pathlib import Path

import pytest

from local.resources import AssemblyError, Schedule
from local.schedules import Cron, Schedules, parse
from tests.small_cloud import function, hosted, run


@pytest.mark.parametrize(
    ("expression", "seconds"),
    [("rate(1 minute)", 60), ("rate(5 minutes)", 300), ("rate(2 hours)", 7200), ("rate(1 day)", 86400)],
)
def test_a_rate_is_a_period(expression: str, seconds: float) -> None:
    assert parse(expression) == seconds


@pytest.mark.parametrize(
    ("expression", "at", "fires"),
    [
        ("cron(0 3 * * ? *)", "2026-11-22 03:00", True),
        ("cron(0 3 * * ? *)", "2026-11-22 03:01", False),
        ("cron(*/15 8-17 ? * MON-FRI *)", "2026-11-23 08:45", True),
        ("cron(*/15 8-17 ? * MON-FRI *)", "2026-11-22 08:45", False),
        ("cron(0 0 1 JAN,JUL ? *)", "2026-07-01 00:00", True),
        ("cron(0 0 ? * 1 2026)", "2026-11-22 00:00", True),
    ],
)
def test_a_cron_expression_names_minutes(expression: str, at: str, fires: bool) -> None:
    cron = parse(expression)
    assert isinstance(cron, Cron)
    assert cron.matches(datetime.fromisoformat(f"{at}+00:00")) is fires


@pytest.mark.parametrize(
    "expression",
    [
        "at(2026-11-22T00:00:00)",
        "rate(0.5 minutes)",
        "cron(0 0 L * ? *)",
        "cron(0 0 * *)",
        "cron(61 * * * ? *)",
    ],
)
def test_an_expression_that_is_not_run_is_an_error(expression: str) -> None:
    with pytest.raises(AssemblyError, match="the schedule"):
        parse(expression)


def test_a_rate_fires_at_once(tmp_path: Path) -> None:
    code = f"def handler(event, context):\n    open({str(tmp_path / 'fired')!r}, 'w').write(event['say'])"

    async def scenario() -> None:
        async with hosted(tmp_path, [function(tmp_path, "job", code)]) as host:
            schedules = Schedules([Schedule("s", "rate(1 minute)", "UTC", "job", '{"say": "hi"}')], host)
            await schedules.start()
            for _ in range(100):
                if (tmp_path / "fired").exists():
                    break
                await asyncio.sleep(0.05)
            await schedules.stop()
        assert (tmp_path / "fired").read_text() == "hi"

    run(scenario())
