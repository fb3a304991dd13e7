"""A short storm with a fixed seed; `make storm SEED= ORDERS=` is as long as one likes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.laptop import Laptop
from tests.faults.storm.judge import judge
from tests.faults.storm.ledger import Ledger
from tests.faults.storm.plan import JOURNEYS, SHOWS, STROKES, draw
from tests.faults.storm.run import SETTINGS, storm

SEED, ORDERS = 20_261_122, 100


@pytest.fixture
def stormy(assembly: Path) -> Iterator[Laptop]:
    """A laptop cloud on which time passes faster."""
    with Laptop(settings=SETTINGS, assembly=assembly) as running:
        yield running


def test_the_same_seed_is_the_same_storm() -> None:
    assert draw(7, 200) == draw(7, 200)
    assert draw(7, 200).digest != draw(8, 200).digest


def test_every_kind_of_fault_and_of_buyer_is_in_a_storm() -> None:
    plan = draw(1, 500)
    assert {stroke.kind for stroke in plan.strokes} == set(STROKES)
    assert {errand.journey for errand in plan.errands} == {*JOURNEYS, "free"}
    assert {errand.show for errand in plan.errands} == set(SHOWS)


def test_the_servers_go_in_a_short_storm_too() -> None:
    assert {"postgres", "redis"} <= {stroke.kind for stroke in draw(SEED, ORDERS).strokes}


@pytest.mark.timeout(900)
def test_money_and_stock_are_right_after_a_storm(stormy: Laptop) -> None:
    verdict = storm(stormy, draw(SEED, ORDERS), print)

    print(verdict.table())
    assert verdict.findings == []
    assert len(verdict.ledger.accepted) > ORDERS / 3
    _expect_to_be_told_of_what_is_planted(stormy)


def _expect_to_be_told_of_what_is_planted(stormy: Laptop) -> None:
    """The judge has eyes: a mail that comes again and again, mails that are gone, an order of nobody's."""
    again, *gone = (stormy.state / "mails").glob("*.eml")
    for number in range(9):
        (again.parent / f"again-{number}.eml").write_bytes(again.read_bytes())
    for mail in gone:
        mail.unlink()
    ledger = Ledger()
    ledger.accept("nobody", 1)

    findings = " ".join(judge(stormy, ledger, {"things": 1}, excused_mails=0))

    for expected in ("times, and was tried", "was said to be sent", "lost: order nobody", "1 things"):
        assert expected in findings
