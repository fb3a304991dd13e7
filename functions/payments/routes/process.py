"""POST /api/payments/process: pay an order again, with another payment method, while its seats are kept."""

from uuid import UUID

from functions.payments import charging, circuits, orders
from functions.payments.database import database
from functions.payments.models import (
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
    provider is out of reach the answer is a 503: nothing has changed, and another provider may be chosen.
    """
    _refuse_unknown(request.order_id, buyer)
    method = request.payment_method.type
    refusal = circuits.refusal(method)
    offered = method != "paypal" or PAYPAL(buyer.id)
    accepted: ProcessAccepted = work(
        lambda sql: charging.request(sql, buyer.id, request, now(), refusal, offered=offered)
    )
    return accepted


def _refuse_unknown(order_id: UUID, buyer: User) -> None:
    """An order that has not come here yet is being paid for the first time, or was given up before that."""
    with database.reading() as sql:
        known = orders.visible(sql, order_id, buyer)
    if known is None:
        waits = orders.before_payment(order_id, buyer).payment_status is PaymentStatus.PENDING
        raise PaymentInProgress() if waits else OrderNotPayable()


handler = api.handler
