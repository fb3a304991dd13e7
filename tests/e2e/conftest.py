"""Whole-system tests: `laptop` is started once for all of them (tests/conftest.py), as a developer starts it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.client import Client
from tests.e2e.laptop import Laptop


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A whole system needs longer than a function does."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.timeout(300))


@pytest.fixture(scope="session")
def hurried_laptop(assembly: Path) -> Iterator[Laptop]:
    """A laptop cloud on which seats are held for 5 s, and 10 s more while the buyer pays."""
    with Laptop(settings="hold_seconds=5 pay_seconds=10", assembly=assembly) as running:
        yield running


@pytest.fixture
def visitor(laptop: Laptop) -> Client:
    """Somebody at `laptop` who is not signed in."""
    return laptop.client
