"""A purchase begins to wait for its money at the moment in which that comes: it is woken all the same."""

from uuid import UUID

from functions.payments import provider, settling, waiting
from functions.payments.database import database
from functions.payments.repository import orders
from shared.clock import now
from shared.database import Database
from tests.payments_shop import Shop
from tests.rivals import Later
from tests.support import a_user


def wait(order_id: str) -> None:
    with database.transaction() as sql:
        waiting.wait(sql, UUID(order_id), "a token", "action_required", None, now())


def test_money_that_comes_meanwhile_is_found_by_who_begins_to_wait(shop: Shop) -> None:
    order_id, webhook = shop.order_of(a_user(), "pm_card_authenticationRequired"), Database("payments")
    answer = provider.stripe().fetch(shop.authenticate(order_id))
    with webhook.transaction() as sql:
        order = orders.lock(sql, UUID(order_id))
        assert order is not None
        settling.apply(sql, order, answer, now())
        waited = Later(lambda: wait(order_id))
        assert waited.is_blocked(shop.db)
    waited.result()
    webhook.reset()
    assert shop.db.all("SELECT FROM task_tokens") == [], "nobody waits for ever"
    woken = shop.db.all("SELECT subject FROM outbox WHERE type = 'task.answered'")
    assert [str(row["subject"]) for row in woken] == [order_id]
