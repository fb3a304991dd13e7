"""POST /api/payments/process: pay an order again, with another payment method, while its seats are kept."""

from uuid import UUID

from functions.payments import charging, circuits, orders
from functions.payments.database import database
from functions.payments.models import (
    Order,
    OrderNotPayable,
    PaymentInProgress,
    PaymentStatus,
    ProcessAccepted,
    ProcessRequest,
)
from functions.payments.settings import PAYPAL
from shared.api import Api, Work
from shared.clock import now
from shared.identity import User

api = Api("payments", database)


@api.post("/api/payments/process", status=202, idempotent="required")
def process(request: ProcessRequest, buyer: User, work: Work) -> ProcessAccepted:
    """Record the attempt; it is carried out from the queue, and the order tells its outcome.

    With `paypal`, what the buyer has approved is taken; before that, the order tells where to approve. While the
    provider is out of reach the answer is a 503: nothing has changed, and another provider may be chosen, if the one
    that is out of reach cannot have taken the money.
    """
    known = _known(request.order_id, buyer)
    method = request.payment_method.type
    refusal = circuits.refusal(method)
    stuck = None if method == known.payment_method else circuits.refusal(known.payment_method)
    offered = method != "paypal" or PAYPAL(buyer.id)
    accepted: ProcessAccepted = work(
        lambda sql: charging.request(sql, buyer.id, request, now(), refusal, stuck=stuck, offered=offered)
    )
    return accepted


def _known(order_id: UUID, buyer: User) -> Order:
    """The order. One that has not come here yet is being paid for the first time, or was given up before that."""
    with database.reading() as sql:
        known = orders.visible(sql, order_id, buyer)
    if known is None:
        waits = orders.before_payment(order_id, buyer).payment_status is PaymentStatus.PENDING
        raise PaymentInProgress() if waits else OrderNotPayable()
    return known


handler = api.handler
