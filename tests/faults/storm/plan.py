"""What a storm does, drawn from its seed: the same seed gives the same buyers, errands and faults (timing differs)."""

import hashlib
import random
from dataclasses import dataclass

CONSUMERS = (
    "events-payments",
    "events-tickets",
    "mail",
    "notifications-payments",
    "notifications-ses",
    "notifications-users",
    "payments-attempts",
    "payments-buyers",
    "payments-events",
    "payments-mail",
    "payments-refunds",
    "payments-tickets",
    "payments-webhooks",
    "tickets-events",
    "tickets-notifications",
    "tickets-orders",
    "tickets-payments",
    "tickets-voids",
)
"""The queues whose deliveries come twice or out of order."""
FUNCTIONS = (
    "auth-authorizer-bearer",
    "events-consumer-payments",
    "events-consumer-tickets",
    "notifications-consumer-mail",
    "notifications-consumer-payments",
    "notifications-job-resend-mail",
    "notifications-job-sweep-messages",
    "payments-consumer-attempts",
    "payments-consumer-mail",
    "payments-consumer-refunds",
    "payments-consumer-tickets",
    "payments-consumer-webhooks",
    "payments-job-resume-payments",
    "payments-job-sweep-messages",
    "payments-process",
    "payments-refund",
    "payments-saga-await-payment",
    "payments-saga-cancel-payment",
    "payments-saga-charge",
    "payments-saga-refund-payment",
    "payments-stripe-webhook",
    "payments-paypal-webhook",
    "tickets-consumer-events",
    "tickets-consumer-notifications",
    "tickets-consumer-orders",
    "tickets-consumer-payments",
    "tickets-consumer-voids",
    "tickets-job-expire-holds",
    "tickets-job-resume-purchases",
    "tickets-job-resume-voiding",
    "tickets-job-sweep-messages",
    "tickets-purchase",
    "tickets-reserve",
    "tickets-saga-issue",
    "tickets-saga-notify",
    "tickets-saga-release",
    "tickets-saga-reserve",
)
POINTS = (
    "entry",
    "before_commit",
    "after_commit",
    "before_call",
    "after_call",
    "before_publish",
    "before_answer",
)

JOURNEYS = {
    "card": 40,
    "declined": 5,
    "declined, then another card": 8,
    "declined, then paypal": 4,
    "3-D Secure": 7,
    "3-D Secure, late": 4,
    "3-D Secure, failed, then another card": 3,
    "3-D Secure, never": 4,
    "paypal": 8,
    "paypal, late": 3,
    "paypal, never": 3,
    "walks away": 4,
    "disputes": 4,
}
SHOWS = {"tiny": 22, "big": 42, "doomed": 16, "free": 8, "small": 12}
STROKES = {
    "function": 30,
    "point": 14,
    "process": 14,
    "queue": 12,
    "stripe": 12,
    "paypal": 5,
    "mail": 8,
    "webhooks": 10,
    "dashboard": 12,
    "forgery": 6,
    "redis": 2,
    "postgres": 2,
}
"""How often each kind of fault is drawn, by weight."""


@dataclass(frozen=True)
class Errand:
    """One purchase that somebody sets out for."""

    number: int
    buyer: int
    show: str
    quantity: int
    journey: str
    clicks: int
    pause: float
    refund: str | None


@dataclass(frozen=True)
class Stroke:
    """One fault; it strikes when the errand of this number begins."""

    errand: int
    kind: str
    target: str
    mode: str
    times: int
    seconds: float


@dataclass(frozen=True)
class Plan:
    """A whole storm."""

    seed: int
    buyers: int
    stock: dict[str, int]
    errands: tuple[Errand, ...]
    strokes: tuple[Stroke, ...]
    cancelled_at: int

    @property
    def digest(self) -> str:
        """Eight letters that two equal plans have in common."""
        return hashlib.sha256(repr((self.stock, self.errands, self.strokes)).encode()).hexdigest()[:8]

    def striking_at(self, errand: int) -> list[Stroke]:
        """What strikes when this errand begins."""
        return [stroke for stroke in self.strokes if stroke.errand == errand]


def draw(seed: int, orders: int) -> Plan:
    """The storm of this seed."""
    dice = random.Random(seed)
    buyers = max(6, min(60, orders // 8))
    stock = {
        "tiny": max(4, orders // 12),
        "small": max(6, orders // 7),
        "big": orders * 4,
        "doomed": orders * 4,
        "free": orders * 4,
    }
    errands = tuple(_errand(dice, number, buyers) for number in range(orders))
    strokes = [_stroke(dice, number) for number in range(orders) if dice.random() < 0.6]
    # Whatever else is drawn: the servers go once each, while there is much to lose.
    strokes += [_stroke(dice, orders // 3, "postgres"), _stroke(dice, 2 * orders // 3, "redis")]
    return Plan(seed, buyers, stock, errands, tuple(strokes), cancelled_at=orders // 2)


def _errand(dice: random.Random, number: int, buyers: int) -> Errand:
    show = _weighted(dice, SHOWS)
    return Errand(
        number=number,
        buyer=dice.randrange(buyers),
        show=show,
        quantity=dice.choice((1, 1, 1, 2, 3)),
        journey="free" if show == "free" else _weighted(dice, JOURNEYS),
        clicks=dice.choice((1, 1, 1, 1, 2, 3)),
        pause=round(dice.uniform(3, 12), 1),
        refund=dice.choice((None,) * 10 + ("all", "one")),
    )


def _stroke(dice: random.Random, errand: int, kind: str | None = None) -> Stroke:
    kind = kind or _weighted(dice, STROKES)
    targets = {
        "function": FUNCTIONS,
        "point": FUNCTIONS,
        "queue": CONSUMERS,
        "stripe": ("",),
        "paypal": ("",),
        "mail": ("ses", "sendgrid"),
        "webhooks": ("stripe", "paypal"),
        "forgery": ("stripe", "stripe", "paypal"),
    }
    modes = {
        "function": ("kill_before", "kill_after", "kill_after", "duplicate", "slow", "error"),
        "point": POINTS,
        "queue": ("duplicate", "slow"),
        "stripe": ("error", "timeout", "slow", "kill_before", "kill_after"),
        "paypal": ("error", "timeout", "slow", "kill_before", "kill_after"),
        "mail": ("error", "error", "error", "kill_after"),
        "webhooks": ("duplicate", "late"),
        "dashboard": ("refund a part", "refund all", "win", "win", "lose"),
        "forgery": ("nonsense", "old", "swapped", "signed"),
        "redis": ("kill", "hang"),
        "postgres": ("SIGKILL", "SIGINT", "SIGQUIT"),
    }
    many = (1, 2, 4, 7) if kind in ("stripe", "paypal", "mail") else (1, 1, 2)
    return Stroke(
        errand=errand,
        kind=kind,
        target=dice.choice(targets.get(kind, ("",))),
        mode=dice.choice(modes.get(kind, ("",))),
        times=dice.choice(many),
        seconds=round(dice.uniform(0.5, 6), 1),
    )


def _weighted(dice: random.Random, weights: dict[str, int]) -> str:
    return dice.choices(list(weights), list(weights.values()))[0]
