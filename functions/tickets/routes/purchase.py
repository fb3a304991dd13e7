"""POST /api/tickets/purchase: buy what a reservation holds."""

from functions.tickets import executions, purchasing, selling
from functions.tickets.database import database
from functions.tickets.models import PurchaseAccepted, PurchaseRequest
from shared.api import Api, Work
from shared.clock import now
from shared.database import Sql
from shared.identity import User
from shared.log import correlation_id

api = Api("tickets", database)


@api.post("/api/tickets/purchase", status=202, idempotent="required")
def purchase(request: PurchaseRequest, buyer: User, work: Work) -> PurchaseAccepted:
    """Bind the seats to a new order; the payment and the tickets follow, `statusUrl` tells how it goes."""
    refusal = selling.refusal(buyer.id, request.payment_method.type)

    def bind(sql: Sql) -> PurchaseAccepted:
        if refusal is not None:
            raise refusal
        accepted = purchasing.bind(sql, buyer.id, request, now())
        # Best effort: jobs/resume_purchases starts what a crash between commit and this call did not.
        sql.after_commit(lambda: executions.start(accepted.order_id, correlation_id()))
        return accepted

    accepted: PurchaseAccepted = work(bind)
    return accepted


handler = api.handler
