"""The operators' table of what can be left behind names every job that runs by the clock, and settings that exist."""

import importlib
import re
from pathlib import Path

from shared import job
from shared.settings import Setting

ROOT = Path(__file__).parents[2]
SERVICES = ("auth", "events", "tickets", "payments", "notifications")
# These forget what is too old, or judge; nothing is left undone while they do not run.
NO_SWEEPS = {"forget_expired", "audit", "buy_free_ticket"}


def table() -> str:
    text = (ROOT / "docs" / "operations.md").read_text()
    return text.split("## What can be left behind")[1].split("\n## ")[0]


def test_every_job_that_runs_by_the_clock_is_in_the_table() -> None:
    declared = set[str]()
    for service in SERVICES:
        rows = (ROOT / "cdk" / "services" / f"{service}.py").read_text()
        declared |= set(re.findall(r'Job\("(\w+)",\s+"every ', rows))
    assert len(declared) > 8
    told = set(re.findall(r"`[\w<>]+-job-([\w-]+)`", table()))
    assert {name.replace("_", "-") for name in declared - NO_SWEEPS} == told, "and no other is"


def test_its_settings_exist_and_have_the_values_that_it_says() -> None:
    modules = [importlib.import_module(f"functions.{service}.settings") for service in SERVICES]
    settings = {
        found.name: found.default
        for module in [*modules, job]
        for found in vars(module).values()
        if isinstance(found, Setting)
    }
    named = re.findall(r"(\d+) ?(s|h|days|)[^(|,;]*\(`(\w+)`\)", table())
    assert len(named) > 20
    for number, unit, name in named:
        hours_as_seconds = unit == "h" and name.endswith("_seconds")
        assert settings[name] == int(number) * (3600 if hours_as_seconds else 1), name


def test_its_metrics_are_counted_somewhere() -> None:
    code = "".join(path.read_text() for path in (ROOT / "functions").rglob("*.py"))
    code += (ROOT / "layers" / "shared" / "python" / "shared" / "job.py").read_text()
    last_cells = [line.split("|")[-2] for line in table().splitlines() if line.startswith("| ")][2:]
    names = set(re.findall(r"`(\w+)`", " ".join(last_cells)))
    assert {"JobHandled", "UnheardPaymentsFound"} <= names
    assert [name for name in names if f'"{name}"' not in code] == []
