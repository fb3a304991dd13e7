"""Two answers to one refund at once: the second is held against what the first has made of it."""

from decimal import Decimal
from uuid import UUID

from functions.payments import refund_outcomes, refunding
from functions.payments.database import database
from functions.payments.gateways.gateway import RefundResult, RefundStatus
from functions.payments.repository import orders
from shared.clock import now
from shared.database import Database, Sql
from tests.payments_shop import Shop
from tests.rivals import Later
from tests.support import a_user

THIRTY = Decimal("30.00")


def ask(order_id: str) -> UUID:
    with database.transaction() as sql:
        order = orders.lock(sql, UUID(order_id))
        assert order is not None
        return refunding.ask(sql, order, THIRTY, now(), cause="REQUESTED", reason="Sorry")


def hear(sql: Sql, refund_id: UUID, status: RefundStatus) -> None:
    answer = RefundResult("re_1", None, status, THIRTY, str(refund_id))
    refund_outcomes.record(sql, refund_id, answer, now())


def hear_alone(refund_id: UUID, status: RefundStatus) -> None:
    with database.transaction() as sql:
        hear(sql, refund_id, status)


def test_a_failure_that_meets_the_success_gives_back_what_that_counted(shop: Shop) -> None:
    order_id, webhook = shop.order_of(a_user()), Database("payments")
    shop.issue(order_id)
    refund_id, _other = ask(order_id), ask(order_id)
    with webhook.transaction() as sql:
        hear(sql, refund_id, "succeeded")
        failed = Later(lambda: hear_alone(refund_id, "failed"))
        assert failed.is_blocked(shop.db)
    failed.result()
    webhook.reset()
    order = shop.order(order_id)
    assert (order["refunded_amount"], order["refunding_amount"]) == (0, THIRTY)
