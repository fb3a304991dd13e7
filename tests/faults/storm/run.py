"""One storm from its seed to its verdict."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from tests.e2e.books import database
from tests.e2e.box_office import Show, publish
from tests.e2e.client import Client
from tests.e2e.laptop import Laptop
from tests.faults.storm.buyers import Buyers
from tests.faults.storm.judge import judge, second_mails
from tests.faults.storm.ledger import Ledger
from tests.faults.storm.plan import Plan
from tests.faults.storm.rest import Aftermath
from tests.faults.storm.weather import Weather

SETTINGS = (
    "hold_seconds=15 pay_seconds=40 saga_check_seconds=10 attempt_stall_seconds=20 refund_stall_seconds=20 "
    "resend_after_seconds=15 void_stall_seconds=10 ask_provider_after_seconds=10 webhook_stall_seconds=20 "
    "provider_timeout_seconds=3 gateway_circuit_seconds=5 "
    "mail_circuit_seconds=5 access_token_seconds=36000"
)
"""Time passes faster in a storm: nobody waits a quarter of an hour for what runs out after one."""
AT_ONCE = 12
SETTLE_SECONDS = 300.0
SAY_EVERY_SECONDS = 3.0


@dataclass
class Verdict:
    """What came of a storm; no `findings` is what it is for."""

    plan: Plan
    ledger: Ledger
    weather: Weather
    findings: list[str]
    redriven: int
    second_mails: int
    seconds: dict[str, float] = field(default_factory=dict)

    def table(self) -> str:
        """The whole, to be read by a person."""
        ledger, weather = self.ledger, self.weather
        rows = [
            ("seed, plan", f"{self.plan.seed}, {self.plan.digest}"),
            ("errands of buyers", f"{len(self.plan.errands)} of {self.plan.buyers}"),
            (
                "purchases accepted (202)",
                f"{len(ledger.accepted)}, and {ledger.unknown} of which nobody heard",
            ),
            ("how errands ended", _counts(ledger.outcomes)),
            ("refunds asked for", str(ledger.refunds)),
            ("answers", _counts(ledger.answers)),
            ("502 for killed functions", str(ledger.gateway_errors)),
            ("faults", _counts(weather.struck)),
            ("faults not to be had", _counts(weather.missed) or "none"),
            ("dead letters put back", str(self.redriven)),
            ("second confirmations", f"{self.second_mails} (at most {weather.unclear_mails} had a reason)"),
            ("seconds", ", ".join(f"{what} {took:.0f}" for what, took in self.seconds.items())),
            ("findings", str(len(self.findings))),
        ]
        width = max(len(name) for name, _ in rows)
        return "\n".join([f"{name:<{width}}  {value}" for name, value in rows] + self.findings)


def storm(laptop: Laptop, plan: Plan, say: Callable[[str], None]) -> Verdict:
    """Let it loose on a laptop cloud that runs, wait for the calm, judge."""
    say(
        f"storm: seed {plan.seed}, {len(plan.errands)} errands, {len(plan.strokes)} faults, plan {plan.digest}"
    )
    began = time.monotonic()
    ledger = Ledger(before=_purchases(laptop))
    weather = Weather(laptop, ledger)
    buyers = Buyers(_people(laptop, plan.buyers), _shows(laptop, plan), ledger, plan.seed)
    arrived = time.monotonic()
    weather.start()
    _blow(plan, buyers, weather, say)
    weather.calm()
    calm = time.monotonic()
    aftermath = Aftermath(laptop)
    left = aftermath.settle(SETTLE_SECONDS, say)
    findings = judge(laptop, ledger, left, weather.unclear_mails)
    times = {"arriving": arrived - began, "storm": calm - arrived, "coming to rest": time.monotonic() - calm}
    return Verdict(plan, ledger, weather, findings, aftermath.redriven, second_mails(laptop), times)


def _blow(plan: Plan, buyers: Buyers, weather: Weather, say: Callable[[str], None]) -> None:
    """Every errand and every stroke of the plan, in its order; at most so many errands at once."""
    over = threading.Event()
    started = time.monotonic()

    def errand(number: int) -> None:
        weather.strike(plan.striking_at(number))
        if number == plan.cancelled_at:
            _cancel(buyers)
        buyers.run(plan.errands[number])

    def tell() -> None:
        while not over.wait(SAY_EVERY_SECONDS):
            ended, ledger = sum(buyers.ledger.outcomes.values()), buyers.ledger
            say(
                f"storm: {time.monotonic() - started:4.0f} s, {ended} of {len(plan.errands)} errands, "
                f"{len(ledger.accepted)} accepted, {sum(weather.struck.values())} faults, "
                f"answers {_counts(ledger.answers)}"
            )

    teller = threading.Thread(target=tell, daemon=True)
    teller.start()
    with ThreadPoolExecutor(AT_ONCE) as crowd:
        list(crowd.map(errand, range(len(plan.errands))))
    over.set()
    teller.join()


def _cancel(buyers: Buyers) -> None:
    """One organizer calls an event off, and insists until it is done."""
    show = buyers.shows["doomed"]
    path = "/api/events/{id}/cancel"
    for _ in range(30):
        answer = show.organizer.post(path.replace("{id}", show.event_id), {"reason": "The storm"})
        buyers.ledger.take("POST", path, answer)
        if answer.status in (202, 409):
            return
        time.sleep(1)
    buyers.ledger.lie("an event could not be cancelled")


def _people(laptop: Laptop, count: int) -> list[Client]:
    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(lambda n: laptop.client.newcomer(first_name=f"Buyer{n}"), range(count)))


def _shows(laptop: Laptop, plan: Plan) -> dict[str, Show]:
    organizer = laptop.client.newcomer("ORGANIZER", "Tempest")
    terms = {"perPersonLimit": 1000}
    return {
        name: publish(
            organizer, **terms, quantityAvailable=stock, price="0.00" if name == "free" else "49.50"
        )
        for name, stock in plan.stock.items()
    }


def _purchases(laptop: Laptop) -> frozenset[str]:
    with database(laptop, "tickets") as ask:
        return frozenset(str(row["order_id"]) for row in ask("SELECT order_id FROM purchases"))


def _counts(counter: dict[str, int]) -> str:
    return ", ".join(f"{count} {what}" for what, count in sorted(counter.items(), key=lambda kv: -kv[1]))
