"""Every function that moves money, seats or messages, broken in every way at every point: the books stay right."""

import os
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.e2e.laptop import Laptop
from tests.faults import cells
from tests.faults.cells import Reached, Round
from tests.faults.proving_ground import SETTINGS, ProvingGround
from tests.faults.scenarios import ALL, STORIES, Story, World

pytestmark = pytest.mark.timeout(3600)
IS_FULL = os.environ.get("CRASH_MATRIX") == "full"


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    laptop = Laptop(settings=SETTINGS)
    try:
        yield World.of(ProvingGround(laptop.start()))
    finally:
        laptop.remove()


@pytest.fixture(scope="module")
def functions(world: World) -> list[str]:
    """The functions of the template that have to stand everything."""
    return cells.covered(world.ground.assembly)


@pytest.fixture(scope="module")
def seen(world: World, functions: list[str]) -> Reached:
    """How often each function gets to each point, when nothing breaks."""
    world.ground.order_faults(cells.watching(functions).faults)
    tell(world, ALL)
    found = cells.reached(world.ground.strokes())
    world.ground.come_to_rest()
    world.ground.audit()
    return found


def test_every_function_of_the_template_has_a_story(functions: list[str]) -> None:
    assert set(functions) == set(STORIES)


def test_every_function_does_in_its_stories_what_it_may_do(
    world: World, functions: list[str], seen: Reached
) -> None:
    done = {
        (name, what)
        for name, points in seen.items()
        for point in points
        for what in ("answer", "commit", "call", "publish")
        if point.endswith(what)
    }
    may = {(name, what) for name in functions for what in cells.expected(world.ground.assembly, name)}
    assert sorted(may - done - set(cells.NEVER)) == [], "never reached, and no reason is given in NEVER"
    assert sorted(set(cells.NEVER) & done) == [], "a reason that is none"


def test_killed_at_every_point(world: World, seen: Reached) -> None:
    for number, each in enumerate(cells.killing(seen, most=5 if IS_FULL else 2)):
        play(world, each, number)


def test_run_twice_timed_out_and_answering_late(world: World, functions: list[str]) -> None:
    for number, each in enumerate(cells.repeating(functions)):
        play(world, each, number)


def play(world: World, each: Round, number: int = 0, stories: Iterable[Story] = ALL) -> None:
    """All stories under these faults, each of which happens; then rest, and the audit."""
    began = time.monotonic()
    world.ground.doubled_mails()
    world.ground.order_faults(each.faults)
    tell(world, tuple(stories))
    pending = world.ground.visitor.get("/_local/faults").expect(200)
    strokes = [stroke for stroke in world.ground.strokes() if stroke["fired"]]
    world.ground.come_to_rest()
    world.ground.audit()
    doubled = world.ground.doubled_mails()
    senders = [stroke for stroke in strokes if stroke["function"].endswith("-consumer-mail")]
    print(
        f"{time.monotonic() - began:6.1f} s  {len(strokes):3} cells  {len(doubled)} mails twice  {each.name}",
        flush=True,
    )
    assert pending == [], f"{each.name}: faults that never happened"
    assert len(doubled) <= len(senders), (
        f"{each.name}: {doubled} went out twice, and nobody died sending them"
    )


def tell(world: World, stories: Sequence[Story]) -> None:
    """The stories, all at once, while time passes. Fails with every one that did not end as it must."""
    with world.ground.time_passing(), ThreadPoolExecutor(len(stories)) as pool:
        running = [(story.__name__, pool.submit(story, world)) for story in stories]
        failed = [f"{name}: {error}" for name, done in running if (error := done.exception())]
    assert failed == []
