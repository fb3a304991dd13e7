"""Stories that end only when a job takes up what others left behind: something for it to find, every time."""

from contextlib import suppress
from functools import partial
from uuid import uuid4

from tests.e2e.client import eventually
from tests.e2e.operators import invoke
from tests.faults.proving_ground import SERVICES
from tests.faults.scenarios import PATIENCE_SECONDS, World, authenticate, call_off

_UNPUBLISH = """
    UPDATE outbox SET published_at = NULL, claimed_until = now() - interval '1 s'
     WHERE id = (SELECT max(id) FROM outbox WHERE published_at IS NOT NULL AND payload IS NOT NULL AND NOT sensitive)
    RETURNING id
"""


def nobody_asked(world: World) -> None:
    """A user's export is recorded, and the messages that ask for its parts were lost."""
    export_id = uuid4()
    world.ground.ask(
        "auth",
        "INSERT INTO exports (id, user_id, requested_at, asked_at)"
        f" VALUES ('{export_id}', '{world.buyer.user_id}', now(), now() - interval '1 h')",
    )
    _comes_true(world, "auth", f"SELECT id FROM exports WHERE id = '{export_id}' AND status = 'READY'")


def unsent(world: World) -> None:
    """A mail is recorded, and the message to its sender was lost."""
    key = f"left:{uuid4()}"
    left = world.ground.ask(
        "notifications",
        "INSERT INTO notifications (mail_key, template_id, recipient_email, data, due_at)"
        f" SELECT '{key}', id, 'left@example.com', '{{\"token\": \"no-account-s\"}}', now()"
        " FROM notification_templates WHERE name = 'verify-email' RETURNING id",
    )
    assert left, "somebody registered before, and the template is there since"
    _comes_true(
        world, "notifications", f"SELECT id FROM notifications WHERE mail_key = '{key}' AND status = 'SENT'"
    )


def hesitated(world: World) -> None:
    """A buyer takes so long that the saga is looked for and the provider is asked; then pays."""
    order = world.becomes(world.buy(world.show(), "pm_card_authenticationRequired"), "REQUIRES_ACTION")
    if world.is_over(order, "REQUIRES_ACTION"):
        return
    order_id = order["orderId"]
    asked = f"SELECT id FROM orders WHERE id = '{order_id}' AND (asked_at IS NOT NULL OR captured_amount > 0)"
    looked_for = (
        f"SELECT order_id FROM purchases WHERE order_id = '{order_id}' AND saga_checked_at > created_at"
    )
    _comes_true(world, "payments", asked)
    _comes_true(world, "tickets", looked_for)
    authenticate(world, order)
    world.becomes(order_id, "PAID")


def untold(world: World) -> None:
    """Tickets are issued, and the saga is gone before it tells their buyer."""
    order = world.becomes(world.buy(world.show()), "PAID")
    if world.is_over(order, "PAID"):
        return
    row = f"FROM purchases WHERE order_id = '{order['orderId']}' AND notified_outcome = 'issued'"
    _comes_true(world, "tickets", f"SELECT order_id {row}")
    world.ground.ask(
        "tickets", f"UPDATE purchases SET notified_outcome = NULL WHERE order_id = '{order['orderId']}'"
    )
    _comes_true(world, "tickets", f"SELECT order_id {row}")


def stopped(world: World) -> None:
    """The saga is stopped by hand while it waits for money, then the event is called off: a job runs it again."""
    show = world.show()
    order = world.becomes(world.buy(show, "pm_card_chargeDeclined"), "PAYMENT_FAILED")
    world.ground.stop_execution(order["orderId"])
    call_off(world, show)
    world.becomes(order["orderId"], "CANCELLED")


def asked_again(world: World) -> None:
    """Step Functions asks once more for money that is there: its first question was answered, and the answer lost."""
    order = world.becomes(world.buy(world.show()), "PAID")
    if world.is_over(order, "PAID"):
        return
    question = {"orderId": order["orderId"], "taskToken": "nobody-waits-by-it", "outcome": "waiting"}
    eventually(partial(_is_answered, world, question), PATIENCE_SECONDS)


def voiding_stopped(world: World) -> None:
    """An event is called off, and the message that asks for its tickets to be voided was lost."""
    show = world.show()
    call_off(world, show)
    row = f"FROM event_copies WHERE event_id = '{show.event_id}' AND voided_at IS NOT NULL"
    _comes_true(world, "tickets", f"SELECT event_id {row}")
    world.ground.ask(
        "tickets", f"UPDATE event_copies SET voided_at = NULL WHERE event_id = '{show.event_id}'"
    )
    _comes_true(world, "tickets", f"SELECT event_id {row}")


def left_behind(world: World) -> None:
    """What processes that died long ago left for the jobs: rows as they are between two steps."""
    ground = world.ground
    for service in SERVICES:
        rows = eventually(partial(ground.ask, service, _UNPUBLISH), PATIENCE_SECONDS)
        published = f"SELECT id FROM outbox WHERE id = {rows[0]['id']} AND published_at IS NOT NULL"
        eventually(partial(ground.ask, service, published), PATIENCE_SECONDS)
    ground.ask(
        "auth",
        "INSERT INTO sign_in_failures (account, address, failed_at)"
        " VALUES (repeat('0', 64), '192.0.2.1', now() - interval '1 day')",
    )


def _is_answered(world: World, question: dict[str, str]) -> bool:
    with suppress(AssertionError):  # it was killed
        error, _ = invoke(world.ground.laptop, "payments-saga-await-payment", question)
        return error is None
    return False


def _comes_true(world: World, service: str, statement: str) -> None:
    """Wait until the statement finds something in the database of the service."""
    eventually(partial(world.ground.ask, service, statement), PATIENCE_SECONDS)
