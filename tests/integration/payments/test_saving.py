"""An order is written by who has read it last: nobody writes over what others have made of it meanwhile."""

from dataclasses import replace
from uuid import UUID

import pytest

from functions.payments.database import database
from functions.payments.models import Order
from functions.payments.repository import orders
from functions.payments.repository.orders import Stale
from shared.clock import now
from shared.database import Sql
from tests.payments_shop import Shop
from tests.support import a_user


def look(order_id: str) -> Order:
    with database.reading() as sql:
        order = orders.get(sql, UUID(order_id))
    assert order is not None
    return order


def mailed(sql: Sql, order: Order, status: str) -> Order:
    return orders.save(sql, replace(order, mail_status=status), "MAIL_STATUS", now(), mailStatus=status)


def test_what_was_read_before_somebody_else_wrote_is_not_written(shop: Shop) -> None:
    order_id = shop.order_of(a_user(), "pm_card_chargeDeclined")
    mine, theirs = look(order_id), look(order_id)
    with database.transaction() as sql:
        mailed(sql, theirs, "SENT")
    before = shop.order(order_id), shop.history(order_id)

    with pytest.raises(Stale), database.transaction() as sql:
        mailed(sql, mine, "FAILED")

    assert (shop.order(order_id), shop.history(order_id)) == before


def test_who_reads_again_may_write(shop: Shop) -> None:
    order_id = shop.order_of(a_user(), "pm_card_chargeDeclined")
    for status in ("SENT", "DELIVERED"):
        with database.transaction() as sql:
            saved = mailed(sql, look(order_id), status)
        assert look(order_id) == saved
