"""POST /api/payments/refund: give a buyer's money back, some or all of it."""

from functions.payments import refunding
from functions.payments.database import database
from functions.payments.models import RefundAccepted, RefundRequest
from shared.api import Api
from shared.clock import now
from shared.database import Sql
from shared.identity import Role, User

api = Api("payments", database)


@api.post("/api/payments/refund", status=202, role=Role.ORGANIZER, idempotent="required")
def refund(request: RefundRequest, organizer: User, sql: Sql) -> RefundAccepted:
    """An amount, or the price of some tickets, or all that is left; carried out from the queue."""
    return refunding.request(sql, organizer, request, now())


handler = api.handler
