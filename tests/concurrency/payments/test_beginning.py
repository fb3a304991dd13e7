"""An order is cancelled at the moment in which it is begun: it is not forgotten."""

from functions.payments import charging
from functions.payments.saga_models import Reservation
from shared.clock import now
from shared.database import Database
from tests.payments_shop import Shop
from tests.rivals import Later


def test_an_order_that_is_recorded_while_it_is_looked_for_is_cancelled(shop: Shop) -> None:
    reservation = shop.reservation()
    order_id, charge = str(reservation["orderId"]), Database("payments")
    with charge.transaction() as sql:
        charging.begin(sql, Reservation.model_validate(reservation), now())
        cancelled = Later(lambda: shop.cancel(order_id))
        assert cancelled.is_blocked(shop.db)
    charge.reset()
    assert cancelled.result() == "cancelled"
    assert shop.status(order_id) == "CANCELLED"
