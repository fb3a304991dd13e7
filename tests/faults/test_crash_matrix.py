"""Every function that moves money, seats or messages, broken in every way at every point: the books stay right."""

import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.client import eventually
from tests.e2e.laptop import Laptop
from tests.faults import cells
from tests.faults.cells import Reached, Round
from tests.faults.proving_ground import PREFIX, SETTINGS, ProvingGround
from tests.faults.scenarios import (
    ANY_END,
    World,
    called_off,
    paid,
    paid_for_nothing,
    paid_with_another_card,
)
from tests.faults.stories import ALL, STORIES, Story

pytestmark = pytest.mark.timeout(3600)
IS_FULL = os.environ.get("CRASH_MATRIX") == "full"
RETOLD = 4
takes_long = pytest.mark.skipif(not IS_FULL, reason="this takes many minutes: make crash-matrix")


@pytest.fixture(scope="module")
def world(assembly: Path) -> Iterator[World]:
    with Laptop(settings=SETTINGS, assembly=assembly, processes=160) as laptop:
        yield World.of(ProvingGround(laptop))


@pytest.fixture(scope="module")
def functions(world: World) -> list[str]:
    """The functions of the template that have to stand everything."""
    return cells.covered(world.ground.assembly)


@pytest.fixture(scope="module")
def seen(world: World, functions: list[str]) -> Reached:
    """How often each function gets to each point, when nothing breaks."""
    world.ground.order_faults(cells.watching(functions).faults)
    tell(world, ALL)
    world.ground.wait_for_rest()  # a buyer hears how it ended before the seats are back
    found = cells.reached(world.ground.strokes())
    world.ground.order_faults([])
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
    missed = sorted((name, what) for name, what in may - done)
    assert [each for each in missed if each not in cells.NEVER] == [], "no reason is given in NEVER"
    assert sorted(set(cells.NEVER) & done) == [], "a reason that is none"


def test_killed_where_what_is_done_is_not_told_yet(world: World, seen: Reached) -> None:
    (each,) = cells.killing(seen, most=1, pairs=[cells.DONE_AND_NOT_TOLD])
    play(world, each)


@takes_long
def test_killed_at_every_point(world: World, seen: Reached) -> None:
    play_all(world, cells.killing(seen, most=5))


@takes_long
def test_run_twice_timed_out_and_answering_late(world: World, functions: list[str]) -> None:
    play_all(world, cells.repeating(functions))


@takes_long
def test_routes_and_jobs_that_fail_for_a_while(world: World, functions: list[str]) -> None:
    names = [name for name in functions if "-saga-" not in name and "-consumer-" not in name]
    play(world, cells.failing(names, times=3))


@takes_long
def test_consumers_that_fail_until_they_are_mended(world: World, functions: list[str]) -> None:
    ground = world.ground
    broken = {
        source.queue.removeprefix(PREFIX): source.function.removeprefix(PREFIX)
        for source in ground.assembly.event_sources
    }
    assert set(broken.values()) == {name for name in functions if "-consumer-" in name}

    def mend() -> bool:
        """Each once its queue has dead letters: others' messages may depend on what it does with them.

        One that was on its last try when its consumer was mended dies after that, and is put back like the others.
        """
        for queue in ground.dead():
            if broken.pop(queue, None) is not None:
                ground.order_faults(cells.failing(broken.values()).faults)
            ground.redrive(queue)
        return not broken

    def mend_all() -> None:
        try:
            eventually(mend, 240)
        except AssertionError as late:
            raise AssertionError(f"{late}; no dead letters of {broken}; {ground.left()}") from late
        eventually(lambda: ground.are_queues_empty() and ground.redrive_all() == 0, 120)

    play(world, cells.failing(broken.values()), meanwhile=mend_all)


TASKS: tuple[tuple[str, tuple[str, ...], tuple[Story, ...]], ...] = (
    ("reserve", (), (paid,)),
    ("charge", (), (paid_with_another_card,)),
    ("await-payment", (), (paid_with_another_card,)),
    ("issue", (), (paid,)),
    (
        "notify, cancel-payment, refund-payment",
        ("Notify", "CancelPayment", "RefundPayment"),
        (paid, called_off, paid_for_nothing),
    ),
    ("release", ("Release",), (called_off,)),
)


@takes_long
@pytest.mark.parametrize(("tasks", "fails_at", "stories"), TASKS, ids=[row[0] for row in TASKS])
def test_tasks_that_fail_until_they_are_mended(
    world: World, functions: list[str], tasks: str, fails_at: tuple[str, ...], stories: tuple[Story, ...]
) -> None:
    """An execution that fails is run again; where the saga has another way to go, the order ends by it."""
    names = [name for name in functions for task in tasks.split(", ") if name.endswith(f"-saga-{task}")]

    failed: set[str] = set()

    def have_failed() -> bool:
        """Each once: a job runs again what has failed, which is then not seen as such."""
        failed.update(world.ground.failed_at())
        return failed >= set(fails_at)

    def mend() -> None:
        eventually(have_failed, 180)
        world.ground.order_faults([])

    strict = replace(world, ends=frozenset() if fails_at else ANY_END)
    play(strict, cells.failing(names), stories, meanwhile=mend if fails_at else None)


def play_all(world: World, rounds: Iterable[Round]) -> None:
    """Each of these; what is found in one does not spare the others."""
    found = []
    for each in rounds:
        try:
            play(world, each)
        except AssertionError as breach:
            found.append(str(breach))
            print(f"          found: {breach}", flush=True)
    assert not found, "\n".join(found)


def play(
    world: World,
    each: Round,
    stories: Sequence[Story] = ALL,
    meanwhile: Callable[[], object] | None = None,
) -> None:
    """The stories under these faults, each of which happens; then rest, and the audit.

    What is found names the cells that struck the same orders: a breach is looked for there first.
    """
    began, ground = time.monotonic(), world.ground
    ground.redrive_all()  # a round before that failed spoils none but itself
    ground.doubled_mails()
    ground.order_faults(each.faults)
    struck: list[dict[str, Any]] = []
    try:
        tell(world, stories, meanwhile)
        pending = tell_again(world)
        struck = ground.strokes()
        ground.come_to_rest()
        ground.audit()
        doubled = ground.doubled_mails()
    except AssertionError as breach:
        suspects = "\n  ".join(cells.suspects(struck or ground.strokes(), str(breach)))
        raise AssertionError(f"{each.name}: {breach}\nStruck the same:\n  {suspects}") from breach
    fired = [stroke for stroke in struck if stroke["fired"]]
    senders = [stroke for stroke in fired if stroke["function"].endswith("-consumer-mail")]
    report(each, time.monotonic() - began, fired, doubled, pending)
    missed = [fault for fault in pending if cells.must_happen(fault)]
    assert cells.unfired(missed) == [], f"{each.name}: faults that never happened"
    assert len(doubled) <= len(senders), (
        f"{each.name}: {doubled} went out twice, and nobody died sending them"
    )


def tell_again(world: World) -> list[dict[str, Any]]:
    """Tell again what leads to faults that have not happened: one call may have done the work of two. Those left."""
    for _ in range(RETOLD):
        pending = world.ground.pending_faults()
        names = {fault["target"].removeprefix(PREFIX) for fault in pending if cells.must_happen(fault)}
        stories = dict.fromkeys(story for name in sorted(names) for story in STORIES[name])
        if not stories:
            break
        tell(world, tuple(stories))
    return world.ground.pending_faults()


def report(
    each: Round,
    seconds: float,
    fired: Sequence[dict[str, Any]],
    doubled: Sequence[str],
    pending: Sequence[dict[str, Any]],
) -> None:
    """One line for the round, and one for the cells of it that no call got to."""
    cells_run = len(each.faults) - len(pending)
    print(
        f"{seconds:6.1f} s  {cells_run:3} of {len(each.faults):3} cells  {len(fired):4} strokes  "
        f"{len(doubled)} mails twice  {each.name}",
        flush=True,
    )
    if pending:
        print(f"          not got to: {', '.join(cells.unfired(pending))}", flush=True)


def tell(world: World, stories: Sequence[Story], meanwhile: Callable[[], object] | None = None) -> None:
    """The stories, all at once, while time passes. Fails with every one that did not end as it must."""
    with world.ground.time_passing(), ThreadPoolExecutor(len(stories) + 1) as pool:
        running: list[tuple[str, Future[object]]] = [
            (story.__name__, pool.submit(story, world)) for story in stories
        ]
        if meanwhile is not None:
            running.append(("meanwhile", pool.submit(meanwhile)))
        failed = [f"{name}: {error}" for name, done in running if (error := done.exception())]
    assert not failed, "\n".join(failed)
