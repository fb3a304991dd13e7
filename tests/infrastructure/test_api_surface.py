"""The deployed API in a file that a reviewer reads, docs/api-surface.txt; `make snapshot` accepts a change."""

from typing import Any

from tests.infrastructure.surface import SNAPSHOT, surface
from tests.infrastructure.template import System


def test_the_api_s_surface_is_the_one_in_the_snapshot(system: System) -> None:
    assert surface(system) == SNAPSHOT.read_text(), "run `make snapshot`, and look at what it changes"


def test_the_snapshot_has_a_line_for_every_route(system: System) -> None:
    lines: list[Any] = [line.split() for line in SNAPSHOT.read_text().splitlines() if line.startswith("/")]
    assert {(method, path) for path, method, *_ in lines} == system.routes()
